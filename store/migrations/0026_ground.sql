-- Districts and streets of a municipality, and in which of them each device stands.

CREATE TABLE ground_feature (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer NOT NULL REFERENCES municipality (id),
    layer text NOT NULL CHECK (layer IN ('districts', 'streets')),
    name text NOT NULL CHECK (name ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    title jsonb NOT NULL,
    geometry jsonb NOT NULL,
    west double precision NOT NULL,
    south double precision NOT NULL,
    east double precision NOT NULL,
    north double precision NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (municipality_id, layer, name)
);
COMMENT ON COLUMN ground_feature.name IS 'its code, which stays when its names change';
COMMENT ON COLUMN ground_feature.title IS 'names by language';
COMMENT ON COLUMN ground_feature.geometry IS 'GeoJSON, degrees, longitude first; west to north are its bounds';

ALTER TABLE device ADD COLUMN district_id integer;
ALTER TABLE device ADD COLUMN district_by_hand boolean NOT NULL DEFAULT false;
ALTER TABLE device ADD COLUMN street_id integer;
ALTER TABLE device ADD CONSTRAINT device_district_id_fkey
FOREIGN KEY (district_id) REFERENCES ground_feature (id) ON DELETE SET NULL NOT VALID;
ALTER TABLE device ADD CONSTRAINT device_street_id_fkey
FOREIGN KEY (street_id) REFERENCES ground_feature (id) ON DELETE SET NULL NOT VALID;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX device_district ON device (district_id) WHERE district_id IS NOT NULL;
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX device_street ON device (street_id) WHERE street_id IS NOT NULL;
COMMENT ON COLUMN device.district_id IS 'in which it stands, or that somebody set; kept right with every change';
COMMENT ON COLUMN device.district_by_hand IS 'somebody set the district: its position does not decide';
COMMENT ON COLUMN device.street_id IS 'the nearest one within 50 m';
