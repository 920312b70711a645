-- Readings that people enter by hand: who, when and with which note. Readings themselves are written by ingest alone; one
-- that stands in its kind's table names the row here by its unknown key `hand_reading`, and so always has its author.

CREATE TABLE hand_reading (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    observed_at timestamptz NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    entered_at timestamptz NOT NULL,
    measurements jsonb NOT NULL,
    note text NOT NULL DEFAULT '' CHECK (length(note) <= 1000),
    stored_at timestamptz,
    refused text
);
COMMENT ON TABLE hand_reading IS 'readings entered by hand, by who entered them; kept as long as the readings of the kind';
COMMENT ON COLUMN hand_reading.stored_at IS 'when ingest said that the reading is stored; absent while that is not known';
COMMENT ON COLUMN hand_reading.refused IS 'why ingest rejected it the last time it was sent';

-- Many texts are longer than a row of an index may be.
CREATE UNIQUE INDEX hand_reading_said
ON hand_reading (device_id, observed_at, author_id, md5(measurements::text));

CREATE INDEX hand_reading_unsent ON hand_reading (entered_at) WHERE stored_at IS NULL;
CREATE INDEX hand_reading_stored ON hand_reading (observed_at) WHERE stored_at IS NOT NULL;
