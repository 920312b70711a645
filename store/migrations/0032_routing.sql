-- Whom alerts are told: routes, teams, on-call schedules, and how each person wants to be told.

CREATE TABLE route_document (
    version integer PRIMARY KEY CHECK (version > 0),
    document text NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    applied_at timestamptz NOT NULL
);
COMMENT ON TABLE route_document IS 'routes as they were written, in YAML; the newest is in force, without any the default';

CREATE TABLE team (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    title jsonb NOT NULL DEFAULT '{}',
    municipality_id integer REFERENCES municipality (id),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
COMMENT ON COLUMN team.municipality_id IS 'NULL: of all municipalities';

CREATE TABLE team_member (
    team_id integer NOT NULL REFERENCES team (id) ON DELETE CASCADE,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    PRIMARY KEY (team_id, person_id)
);
CREATE INDEX team_member_person ON team_member (person_id);

CREATE TABLE on_call_schedule (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,62}$'),
    title jsonb NOT NULL DEFAULT '{}',
    municipality_id integer REFERENCES municipality (id),
    time_zone text,
    layers jsonb NOT NULL DEFAULT '[]',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (municipality_id IS NOT NULL OR time_zone IS NOT NULL)
);
COMMENT ON COLUMN on_call_schedule.municipality_id IS 'NULL: of all municipalities';
COMMENT ON COLUMN on_call_schedule.time_zone IS 'NULL: that of the municipality';
COMMENT ON COLUMN on_call_schedule.layers IS 'rotations: people by number, in turns; the first that has somebody at an instant counts';

CREATE TABLE on_call_override (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_id integer NOT NULL REFERENCES on_call_schedule (id) ON DELETE CASCADE,
    person_id integer NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    uid text,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    CHECK (until_at > from_at),
    UNIQUE (schedule_id, uid)
);
CREATE INDEX on_call_override_person ON on_call_override (person_id);
COMMENT ON TABLE on_call_override IS 'who stands in for the rotations; of several at an instant the newest counts';
COMMENT ON COLUMN on_call_override.uid IS 'of the calendar entry that it came from: read again, it is replaced';

ALTER TABLE person ADD COLUMN steps jsonb NOT NULL DEFAULT '[]';
ALTER TABLE person ADD COLUMN quiet_hours jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN person.steps IS 'by which channel they are told after how many seconds; empty: the default';
COMMENT ON COLUMN person.quiet_hours IS 'local spans of the day in which what is less severe waits until their end';
