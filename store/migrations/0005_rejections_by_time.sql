-- A restarted ingest counts what it has kept of the present hour. At most a hundred rejections a device and
-- hour are kept, so that building the index holds nobody up for long.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX rejection_received ON rejection (received_at);
