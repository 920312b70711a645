-- How often another client took ingest's session at the broker: somebody has its client id and its password.

ALTER TABLE shard ADD COLUMN takeovers bigint NOT NULL DEFAULT 0;
ALTER TABLE shard ADD COLUMN taken_over_at timestamptz;
COMMENT ON COLUMN shard.takeovers IS 'how often another client took the session at the broker from ingest';
COMMENT ON COLUMN shard.taken_over_at IS 'when that was last; NULL: never';
