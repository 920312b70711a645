-- What the metrics of the platform are read from, so that a scrape costs the same after years as on the first day.

CREATE TABLE ledger_total (
    shard text PRIMARY KEY REFERENCES shard (name),
    batch bigint NOT NULL DEFAULT 0,
    messages bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    undated bigint NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ledger_total IS 'sums of the ledger up to a batch; what came since is added when asked';
COMMENT ON COLUMN ledger_total.reasons IS 'rejected readings by reason';

CREATE TABLE sweep_run (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    swept_at timestamptz NOT NULL
);
COMMENT ON TABLE sweep_run IS 'when sweep rules looked last; no row: never';
