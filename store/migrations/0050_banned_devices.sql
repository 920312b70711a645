-- Names that no device may have: who calls itself so stays outside, whatever a municipality registers by itself.

CREATE TABLE banned_device (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 64),
    municipality_id integer REFERENCES municipality (id),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    author_id integer NOT NULL REFERENCES principal (id),
    banned_at timestamptz NOT NULL
);
COMMENT ON TABLE banned_device IS 'names on the wire that are never registered; what they send is rejected, and waits for nobody';
COMMENT ON COLUMN banned_device.municipality_id IS 'which its topics named when it was banned; NULL: none that is registered';
