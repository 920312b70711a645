-- Clocks of work: working calendars, how soon work is due, what shows that it helped, orders by rule and by plan.

CREATE TABLE work_calendar (
    municipality_id integer PRIMARY KEY REFERENCES municipality (id),
    hours jsonb,
    ramadan_hours jsonb
);
COMMENT ON TABLE work_calendar IS 'working hours where they are not the default ones';
COMMENT ON COLUMN work_calendar.hours IS 'by ISO day, 1 is Monday: [["08:00", "16:00"], …]; NULL: the default, on all days but the week-end';
COMMENT ON COLUMN work_calendar.ramadan_hours IS 'of a day in Ramadan; []: the same hours as else; NULL: the default of the territory';

CREATE TABLE calendar_day (
    municipality_id integer NOT NULL REFERENCES municipality (id),
    day date NOT NULL,
    working boolean NOT NULL,
    name text NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (municipality_id, day)
);
COMMENT ON TABLE calendar_day IS 'days that a municipality makes days of rest, or of work, whatever the public holidays say';

CREATE TABLE ramadan_dates (
    municipality_id integer NOT NULL REFERENCES municipality (id),
    hijri_year smallint NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (municipality_id, hijri_year),
    CHECK (last_day >= first_day)
);
COMMENT ON TABLE ramadan_dates IS 'when Ramadan was announced, where that is not when the calendar of Umm al-Qura has it';

CREATE TABLE sla_target (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer REFERENCES municipality (id),
    kind text,
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    response interval NOT NULL CHECK (response > interval '0'),
    repair interval NOT NULL CHECK (repair >= response),
    around_the_clock boolean NOT NULL,
    UNIQUE NULLS NOT DISTINCT (municipality_id, kind, severity)
);
COMMENT ON TABLE sla_target IS 'how soon an order has to be accepted and done, where that is not the default; the most particular row counts';
COMMENT ON COLUMN sla_target.municipality_id IS 'NULL: of all municipalities';
COMMENT ON COLUMN sla_target.kind IS 'NULL: of every kind';
COMMENT ON COLUMN sla_target.around_the_clock IS 'false: only working hours count';

ALTER TABLE work_order ADD COLUMN response_near_at timestamptz;
ALTER TABLE work_order ADD COLUMN repair_near_at timestamptz;
ALTER TABLE work_order ADD COLUMN deadlines_by text;
ALTER TABLE work_order ADD COLUMN plan_day date;
ALTER TABLE work_order ADD COLUMN earlier integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN work_order.response_near_at IS 'when most of the time to respond is over';
COMMENT ON COLUMN work_order.deadlines_by IS 'what they were reckoned by; NULL: not reckoned yet';
COMMENT ON COLUMN work_order.plan_day IS 'the day for which a preventive plan made it';
COMMENT ON COLUMN work_order.earlier IS 'orders of the device in the months before it';
-- Those whose verification has to begin.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX work_order_unverified ON work_order (id) WHERE state = 'done' AND verify_until IS NULL;
-- One open order of a plan and a device.
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX work_order_one_of_plan ON work_order (plan_id, device_id)
WHERE plan_id IS NOT NULL AND state NOT IN ('done', 'cancelled');
-- squawk-ignore require-concurrent-index-creation
CREATE UNIQUE INDEX work_event_once ON work_event (order_id, type)
WHERE type IN ('response-near', 'response-missed', 'repair-near', 'repair-missed');

CREATE TABLE work_by_rule (
    municipality_id integer PRIMARY KEY REFERENCES municipality (id),
    since timestamptz NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id)
);
COMMENT ON TABLE work_by_rule IS 'municipalities in which rules that ask for work make orders, of alerts since then';

ALTER TABLE rule ADD COLUMN work_from text;
ALTER TABLE rule ADD COLUMN verify_within text;
COMMENT ON COLUMN rule.work_from IS 'the severity from which its alerts become orders where the municipality wants that; NULL: never';
COMMENT ON COLUMN rule.verify_within IS 'how long after the work its readings are watched; NULL: as its kind says';

CREATE TABLE work_plan (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer NOT NULL REFERENCES municipality (id),
    device_id integer REFERENCES device (id),
    kind text,
    title text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    every double precision NOT NULL CHECK (every > 0),
    unit text NOT NULL CHECK (unit IN ('weeks', 'months', 'counter')),
    measurement text,
    first_day date,
    ahead double precision NOT NULL CHECK (ahead >= 0),
    team_id integer,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    ender_id integer REFERENCES principal (id),
    CONSTRAINT work_plan_team FOREIGN KEY (team_id) REFERENCES team (id) ON DELETE SET NULL,
    CHECK ((device_id IS NULL) <> (kind IS NULL)),
    CHECK ((unit = 'counter') = (measurement IS NOT NULL)),
    CHECK ((unit = 'counter') = (first_day IS NULL)),
    CHECK ((ended_at IS NULL) = (ender_id IS NULL))
);
COMMENT ON TABLE work_plan IS 'preventive work that comes again, on one device or on all of a kind';
COMMENT ON COLUMN work_plan.every IS 'so many weeks, months, or units of the measurement';
COMMENT ON COLUMN work_plan.ahead IS 'how long before it is due its order is made: days, or units of the measurement';

CREATE TABLE work_plan_device (
    plan_id bigint NOT NULL REFERENCES work_plan (id),
    device_id integer NOT NULL REFERENCES device (id),
    made_for date,
    due_at_count double precision,
    PRIMARY KEY (plan_id, device_id)
);
COMMENT ON COLUMN work_plan_device.made_for IS 'the last day for which an order was made';
COMMENT ON COLUMN work_plan_device.due_at_count IS 'what the counter shows when the next one is due';
