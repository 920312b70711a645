-- Everything that grows has an end; what figures are made of survives it.

CREATE TABLE ledger_day (
    shard text NOT NULL REFERENCES shard (name),
    began_at timestamptz NOT NULL,
    source text NOT NULL,
    batches bigint NOT NULL,
    messages bigint NOT NULL,
    received bigint NOT NULL,
    stored bigint NOT NULL,
    duplicate bigint NOT NULL,
    rejected bigint NOT NULL,
    undated bigint NOT NULL,
    empty bigint NOT NULL,
    PRIMARY KEY (shard, began_at, source),
    CHECK (received = stored + duplicate + rejected)
);
COMMENT ON TABLE ledger_day IS 'sums of the batches that are no longer in table ledger, by day';
COMMENT ON COLUMN ledger_day.began_at IS 'midnight UTC';

CREATE TABLE ledger_day_outcome (
    shard text NOT NULL,
    began_at timestamptz NOT NULL,
    source text NOT NULL,
    outcome text NOT NULL,
    readings bigint NOT NULL,
    PRIMARY KEY (shard, began_at, source, outcome),
    FOREIGN KEY (shard, began_at, source) REFERENCES ledger_day (shard, began_at, source)
);
COMMENT ON TABLE ledger_day_outcome IS 'what table ledger_device said of those batches, without the devices';

CREATE TABLE alert_day (
    municipality_id integer NOT NULL REFERENCES municipality (id),
    began_at timestamptz NOT NULL,
    kind text NOT NULL,
    district text NOT NULL,
    rule text NOT NULL,
    opened bigint NOT NULL,
    resolved bigint NOT NULL,
    PRIMARY KEY (municipality_id, began_at, kind, district, rule)
);
COMMENT ON TABLE alert_day IS 'how many alerts that are no longer in table alert opened and ended on each day';
COMMENT ON COLUMN alert_day.began_at IS 'midnight of the municipality';
COMMENT ON COLUMN alert_day.district IS 'code of the district in which the device stood when they were counted, or empty';

CREATE TABLE retention_run (
    class text PRIMARY KEY,
    looked_at timestamptz NOT NULL,
    removed bigint NOT NULL,
    behind_since timestamptz
);
COMMENT ON TABLE retention_run IS 'when old rows of each class were looked for last';
COMMENT ON COLUMN retention_run.removed IS 'rows that were ever removed';
COMMENT ON COLUMN retention_run.behind_since IS 'since when more is old than was removed; NULL: nothing is';

-- What is old is found by these, and who points at an alert that goes. Beside readings these tables are small:
-- a million alerts or commands are indexed in seconds.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_ended ON alert (resolved_at) WHERE state = 'resolved';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_inhibitor ON alert (inhibited_by) WHERE inhibited_by IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX command_created ON command (created_at);
