-- How often devices really report: learned from their readings, used where nobody has entered an interval.

CREATE TABLE device_pace (
    device_id integer PRIMARY KEY REFERENCES device (id) ON DELETE CASCADE,
    pace double precision NOT NULL CHECK (pace > 0),
    learned_at timestamptz NOT NULL
);
COMMENT ON TABLE device_pace IS 'devices that report otherwise than their kind; those without a row keep its interval';
COMMENT ON COLUMN device_pace.pace IS 'how many of its kind''s intervals pass between readings of the device';
