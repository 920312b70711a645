-- What a stream of messages holds beside readings: known, and left alone.

ALTER TABLE source_state ADD COLUMN unread bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN source_state.unread IS 'messages of a stream of which no reading was made, and none should have been';
