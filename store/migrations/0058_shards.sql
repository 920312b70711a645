-- Which ingest a municipality belongs to. A shard hears its own municipalities and no others.

-- Tables of few rows: no lock of them is long.
-- squawk-ignore adding-field-with-default, adding-foreign-key-constraint
ALTER TABLE municipality ADD COLUMN shard text NOT NULL DEFAULT 'main' REFERENCES shard (name);
COMMENT ON COLUMN municipality.shard IS 'the shard whose ingest hears its devices';
-- squawk-ignore adding-foreign-key-constraint
ALTER TABLE municipality ADD COLUMN leaving text REFERENCES shard (name);
COMMENT ON COLUMN municipality.leaving IS 'the shard that may still hold messages of it; NULL but while it moves';
ALTER TABLE shard ADD COLUMN emptied_at timestamptz;
COMMENT ON COLUMN shard.emptied_at IS 'when the broker last had nothing for us, one second and more after connecting';
