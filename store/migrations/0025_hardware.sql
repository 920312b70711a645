-- A device is a place; which hardware stood there from when to when, with the name it uses on the wire.

CREATE TABLE hardware (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    number integer NOT NULL DEFAULT 0,
    wire_name text NOT NULL CHECK (wire_name ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    serial text,
    installed_at timestamptz NOT NULL,
    removed_at timestamptz,
    removed_reason text NOT NULL DEFAULT '',
    CHECK (removed_at >= installed_at)
);
CREATE UNIQUE INDEX hardware_device ON hardware (device_id) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX hardware_wire_name ON hardware (wire_name) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX hardware_serial ON hardware (serial) WHERE removed_at IS NULL;
CREATE INDEX hardware_history ON hardware (device_id, number);
CREATE INDEX hardware_removed ON hardware (wire_name, removed_at) WHERE removed_at IS NOT NULL;
COMMENT ON TABLE hardware IS 'what stands, and stood, at each place; readings, alerts and commands are the place''s';
COMMENT ON COLUMN hardware.number IS 'how many stood there before';
COMMENT ON COLUMN hardware.wire_name IS 'the id that it uses on the wire: its topic''s, its broker user''s';
COMMENT ON COLUMN hardware.removed_at IS 'NULL: it stands there';

INSERT INTO hardware (device_id, wire_name, installed_at)
SELECT id, name, coalesce(installed_at, created_at) FROM device;

COMMENT ON COLUMN device.name IS 'the place, unique on the platform; at first also the name of its hardware on the wire';
