-- Hours and days of every device, beside its readings: which of them are to be brought up to date.

CREATE TABLE rollup_mark (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL,
    device_ids integer [] NOT NULL,
    first_us bigint [] NOT NULL,
    last_us bigint [] NOT NULL,
    marked_at timestamptz NOT NULL
);
COMMENT ON TABLE rollup_mark IS 'new readings of one kind in one batch that hours and days do not hold yet';
COMMENT ON COLUMN rollup_mark.device_ids IS 'of each device and hour with new readings: the device';
COMMENT ON COLUMN rollup_mark.first_us IS 'of each, when the first new reading was observed, microseconds since 1970';
COMMENT ON COLUMN rollup_mark.last_us IS 'of each, when the last new reading was observed';

CREATE TABLE rollup_backfill (
    kind text PRIMARY KEY,
    before timestamptz NOT NULL,
    oldest timestamptz NOT NULL,
    newest timestamptz NOT NULL
);
COMMENT ON TABLE rollup_backfill IS 'readings older than rollups: their hours and days are made backwards, a piece at a time';
COMMENT ON COLUMN rollup_backfill.before IS 'everything from here on is made';
COMMENT ON COLUMN rollup_backfill.oldest IS 'where the oldest reading stands; done when before has come here';

CREATE TABLE rollup_zone (
    municipality_id integer PRIMARY KEY REFERENCES municipality (id) ON DELETE CASCADE,
    time_zone text NOT NULL
);
COMMENT ON TABLE rollup_zone IS 'in which time zone the days of a municipality were made; another one now means: make them anew';
