-- What people wrote about a device, for whoever comes after them.

CREATE TABLE device_note (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    author_id integer NOT NULL REFERENCES principal (id),
    written_at timestamptz NOT NULL,
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 4000)
);
CREATE INDEX device_note_device ON device_note (device_id, id);
COMMENT ON TABLE device_note IS 'notes on a device, kept as they were written';
