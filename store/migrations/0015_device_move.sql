-- Where a device was before: what happened stays in the municipality where it happened.

CREATE TABLE device_move (
    device_id integer NOT NULL REFERENCES device (id),
    moved_at timestamptz NOT NULL,
    municipality_id integer NOT NULL REFERENCES municipality (id),
    PRIMARY KEY (device_id, moved_at)
);
COMMENT ON TABLE device_move IS 'each move of a device to another municipality';
COMMENT ON COLUMN device_move.municipality_id IS 'where it was until moved_at';

ALTER TABLE device ADD COLUMN moved_at timestamptz;
COMMENT ON COLUMN device.moved_at IS 'since when it is in its municipality; NULL where it was never in another';

CREATE FUNCTION municipality_at(device device, instant timestamptz) RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(
    (
        SELECT device_move.municipality_id
        FROM device_move
        WHERE device_move.device_id = (municipality_at.device).id AND device_move.moved_at > municipality_at.instant
        ORDER BY device_move.moved_at
        LIMIT 1
    ),
    (municipality_at.device).municipality_id
);
COMMENT ON FUNCTION municipality_at IS 'in which municipality a device was; ask only where moved_at lies after it';
