-- When people work on devices: rules do not look meanwhile.

CREATE TABLE maintenance_window (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer REFERENCES municipality (id),
    device_id integer REFERENCES device (id),
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (from_at < until_at),
    CHECK ((municipality_id IS NULL) <> (device_id IS NULL))
);
COMMENT ON COLUMN maintenance_window.device_id IS 'this device and everything below it';
COMMENT ON COLUMN maintenance_window.until_at IS 'not included';
