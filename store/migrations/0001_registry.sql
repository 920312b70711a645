-- Municipalities and what stands in them. Every other row belongs to one of these.

CREATE TABLE municipality (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9-]{1,32}$'),
    title jsonb NOT NULL DEFAULT '{}',
    time_zone text NOT NULL DEFAULT 'UTC',
    locale text NOT NULL DEFAULT 'en',
    weekend smallint [] NOT NULL DEFAULT '{6,7}',
    lat double precision,
    lon double precision,
    register_unknown boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN municipality.weekend IS 'ISO days of the week, 1 is Monday';
COMMENT ON COLUMN municipality.register_unknown IS 'register an unknown device when it first speaks';

CREATE TABLE device (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    municipality_id integer NOT NULL REFERENCES municipality (id),
    kind text NOT NULL,
    parent_id integer REFERENCES device (id),
    title text NOT NULL DEFAULT '',
    lat double precision,
    lon double precision,
    attributes jsonb NOT NULL DEFAULT '{}',
    retired_at timestamptz,
    retired_reason text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((retired_at IS NULL) = (retired_reason IS NULL))
);
CREATE INDEX device_municipality ON device (municipality_id, kind, name);
CREATE INDEX device_parent ON device (parent_id) WHERE parent_id IS NOT NULL;
COMMENT ON COLUMN device.name IS 'the id the device uses on the wire, unique on the platform';

CREATE TABLE presence (
    device_id integer PRIMARY KEY REFERENCES device (id),
    online boolean NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE latest (
    device_id integer PRIMARY KEY REFERENCES device (id),
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    interval_s double precision NOT NULL,
    quality bigint NOT NULL,
    measurements jsonb NOT NULL
);
COMMENT ON TABLE latest IS 'newest reading of each device, flushed at most once a second';
COMMENT ON COLUMN latest.interval_s IS 'how soon the next reading is expected after received_at';

CREATE TABLE command (
    id uuid PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    name text NOT NULL,
    args jsonb NOT NULL,
    status text NOT NULL DEFAULT 'sent' CHECK (
        status IN ('sent', 'accepted', 'running', 'succeeded', 'failed', 'rejected', 'expired')
    ),
    detail text,
    result jsonb,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX command_device ON command (device_id, created_at);
