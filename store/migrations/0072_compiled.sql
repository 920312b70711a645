-- Whether the ingest of a shard decodes with compiled code, as it says itself.

ALTER TABLE shard ADD COLUMN compiled boolean;
COMMENT ON COLUMN shard.compiled IS 'whether its ingest decodes with compiled code; NULL: it has not said so yet';
