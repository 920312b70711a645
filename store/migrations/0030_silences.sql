-- A person wants no notification of some alerts for a while; the alerts open and end as always.

CREATE TABLE silence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer REFERENCES municipality (id),
    device_id integer REFERENCES device (id),
    rule text,
    kind text,
    district text,
    attribute text,
    attribute_values jsonb [],
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    reason text NOT NULL,
    author_id integer NOT NULL REFERENCES principal (id),
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    ender_id integer REFERENCES principal (id),
    CHECK (from_at < until_at),
    CHECK (coalesce(device_id::text, rule, kind, district, attribute) IS NOT NULL),
    CHECK (municipality_id IS NOT NULL OR coalesce(device_id::text, district, attribute) IS NULL),
    CHECK ((attribute IS NULL) = (attribute_values IS NULL)),
    CHECK ((ended_at IS NULL) = (ender_id IS NULL))
);
COMMENT ON TABLE silence IS 'which alerts: all that is given must fit; NULL fits every one';
COMMENT ON COLUMN silence.municipality_id IS 'in which the alert was opened; NULL: in all';
COMMENT ON COLUMN silence.district IS 'code of a district of the municipality; stays when the layer is replaced';
COMMENT ON COLUMN silence.attribute_values IS 'what the attribute may be: the given text, then the number or truth it means';
COMMENT ON COLUMN silence.until_at IS 'not included';
COMMENT ON COLUMN silence.ended_at IS 'somebody ended it before until_at, perhaps before it began';
