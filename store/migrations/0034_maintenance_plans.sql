-- Maintenance windows that come again, by days of the week or of the month and a local clock.

CREATE TABLE maintenance_plan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer REFERENCES municipality (id),
    device_id integer REFERENCES device (id),
    every text NOT NULL CHECK (every IN ('week', 'month')),
    days smallint [] NOT NULL CHECK (days <> '{}'),
    from_time time NOT NULL,
    until_time time NOT NULL,
    from_date date,
    until_date date,
    left_out date [] NOT NULL DEFAULT '{}',
    reason text NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    ender_id integer REFERENCES principal (id),
    windows_until date NOT NULL,
    windows_by text NOT NULL,
    CHECK ((municipality_id IS NULL) <> (device_id IS NULL)),
    CHECK ((ended_at IS NULL) = (ender_id IS NULL))
);
COMMENT ON COLUMN maintenance_plan.days IS 'ISO days of the week, 1 is Monday; or days of the month';
COMMENT ON COLUMN maintenance_plan.until_time IS 'not included; at or before from_time: on the next day';
COMMENT ON COLUMN maintenance_plan.from_date IS 'the first day on which one begins; NULL: from now on';
COMMENT ON COLUMN maintenance_plan.until_date IS 'the last day on which one begins; NULL: for ever';
COMMENT ON COLUMN maintenance_plan.left_out IS 'days whose window somebody took back';
COMMENT ON COLUMN maintenance_plan.windows_until IS 'up to which local day its windows are in maintenance_window';
COMMENT ON COLUMN maintenance_plan.windows_by IS 'the time zone, and the version of the zone data, by which they were reckoned';

ALTER TABLE maintenance_window ADD COLUMN plan_id bigint;
ALTER TABLE maintenance_window ADD COLUMN plan_day date;
-- All of it is NULL so far.
-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
ALTER TABLE maintenance_window ADD CONSTRAINT maintenance_window_plan FOREIGN KEY (plan_id) REFERENCES maintenance_plan (id);
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX maintenance_window_of_plan ON maintenance_window (plan_id, plan_day) WHERE plan_id IS NOT NULL;
COMMENT ON COLUMN maintenance_window.plan_id IS 'the plan that it came from, for the local day plan_day';
