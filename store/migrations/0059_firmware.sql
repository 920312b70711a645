-- Firmware that was signed, and its way into devices: a part of them first, and no further than it does good.

CREATE TABLE firmware_image (
    sha256 text PRIMARY KEY CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    kind text NOT NULL,
    version text NOT NULL,
    size integer NOT NULL CHECK (size > 0),
    signature text NOT NULL,
    public_key text NOT NULL,
    note text NOT NULL DEFAULT '',
    added_at timestamptz NOT NULL,
    added_by integer NOT NULL REFERENCES principal (id),
    UNIQUE (kind, version)
);
COMMENT ON TABLE firmware_image IS 'signed firmware by its SHA-256; the bytes lie in NABD_FIRMWARE_DIR';

CREATE TABLE rollout (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sha256 text NOT NULL REFERENCES firmware_image (sha256),
    municipality_id integer REFERENCES municipality (id),
    stages smallint [] NOT NULL CHECK (cardinality(stages) > 0),
    stage smallint NOT NULL DEFAULT 0,
    tolerated_pct smallint NOT NULL CHECK (tolerated_pct BETWEEN 0 AND 100),
    watch_s integer NOT NULL CHECK (watch_s >= 0),
    offer_s integer NOT NULL CHECK (offer_s > 0),
    state text NOT NULL CHECK (state IN ('running', 'paused', 'stopped', 'done', 'cancelled')),
    detail text,
    started_by integer NOT NULL REFERENCES principal (id),
    started_at timestamptz NOT NULL,
    settled_at timestamptz,
    ended_at timestamptz
);
COMMENT ON COLUMN rollout.stages IS 'shares of all its devices that it has reached after each stage, in per cent';
COMMENT ON COLUMN rollout.settled_at IS 'since when every device of the present stage has ended';

CREATE TABLE rollout_device (
    rollout_id bigint NOT NULL REFERENCES rollout (id),
    device_id integer NOT NULL REFERENCES device (id),
    position integer NOT NULL,
    stage smallint NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (
        state IN ('waiting', 'offered', 'downloading', 'updated', 'failed', 'rolled-back')
    ),
    command_id uuid,
    offered_at timestamptz,
    changed_at timestamptz NOT NULL,
    detail text,
    alerted boolean NOT NULL DEFAULT false,
    PRIMARY KEY (rollout_id, device_id)
);
CREATE INDEX rollout_device_device ON rollout_device (device_id);
COMMENT ON COLUMN rollout_device.alerted IS 'an alert of it has begun since it was offered the image';
