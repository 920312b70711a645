-- Under which name ingest keeps its session at the broker: another one in every installation, since two of one
-- name would take the session from each other without end.

-- A table of one row: no lock of it is long.
-- squawk-ignore adding-field-with-default
ALTER TABLE shard ADD COLUMN client_id text NOT NULL DEFAULT 'nabd-' || left(md5(gen_random_uuid()::text), 12);
COMMENT ON COLUMN shard.client_id IS 'MQTT client id; what the broker holds for ingest belongs to it';

-- A shard that has worked before keeps its session, and with it what the broker holds.
UPDATE shard SET client_id = 'nabd-ingest-' || name WHERE alive_at IS NOT NULL;
