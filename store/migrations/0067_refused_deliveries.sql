-- Deliveries by who does not know a webhook's secret: anybody can send one, so they say nothing of the webhook itself.

ALTER TABLE source_state
    ADD COLUMN refused bigint NOT NULL DEFAULT 0,
    ADD COLUMN refused_at timestamptz;
COMMENT ON COLUMN source_state.refused IS 'deliveries to the webhook that showed another secret, or none';
COMMENT ON COLUMN source_state.refused_at IS 'when the last of these came';
