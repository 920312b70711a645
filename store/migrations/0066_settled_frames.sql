-- What says no instant is known before it is sent, with the instant that stands in. Until that is settled a repeat
-- has the same instant, however late it comes; heard_at is then when it was settled.
ALTER TABLE source_frame ADD COLUMN settled boolean NOT NULL DEFAULT true;
