-- What the newest values of a municipality's devices are published under. Without a row nothing of it is public.
CREATE TABLE open_data (
    municipality_id integer PRIMARY KEY REFERENCES municipality (id),
    licence text NOT NULL,
    published_at timestamptz NOT NULL
);
COMMENT ON COLUMN open_data.licence IS 'by its name in devices/publishing/licences.py';
