-- Readings that people enter by hand: who, when and with which note. Readings themselves are written by ingest alone; one
-- that stands in its kind's table names the row here by its unknown key `by_hand`, and so always has its author.

CREATE TABLE hand_reading (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    observed_at timestamptz NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    entered_at timestamptz NOT NULL,
    measurements jsonb NOT NULL,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    stored_at timestamptz,
    refused text,
    UNIQUE (device_id, observed_at, author_id, measurements)
);
COMMENT ON TABLE hand_reading IS 'readings entered by hand, by who entered them; kept for good once stored';
COMMENT ON COLUMN hand_reading.stored_at IS 'when ingest said that the reading is stored; absent while that is not known';
COMMENT ON COLUMN hand_reading.refused IS 'why ingest rejected it the last time it was sent';
