-- Commands wait until their device can be told, two administrators stand behind one to many, and what a device is
-- to be set to stands beside what it says it is.

-- The table has one row for each command of a year or so: what is rewritten and checked here takes a moment.
-- squawk-ignore-file ban-drop-constraint, require-concurrent-index-creation, adding-foreign-key-constraint
-- squawk-ignore-file constraint-missing-not-valid
ALTER TABLE command DROP CONSTRAINT command_status_check;
UPDATE command SET status = 'delivered' WHERE status = 'sent';
ALTER TABLE command
    ALTER COLUMN status SET DEFAULT 'queued',
    ADD CONSTRAINT command_status_check CHECK (
        status IN (
            'queued', 'sent', 'delivered', 'accepted', 'running', 'succeeded', 'failed', 'rejected', 'expired'
        )
    ),
    ADD COLUMN author_id integer REFERENCES principal (id),
    ADD COLUMN request_id bigint,
    ADD COLUMN tries integer NOT NULL DEFAULT 0,
    ADD COLUMN due_at timestamptz;
CREATE INDEX command_waiting ON command (due_at) WHERE status IN ('queued', 'sent');
CREATE INDEX command_updated ON command (updated_at);
COMMENT ON COLUMN command.due_at IS 'while it is queued or sent: when it is to be sent, or sent again';
COMMENT ON COLUMN command.tries IS 'how often it was sent while nobody took it';

CREATE TABLE command_request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer NOT NULL REFERENCES municipality (id),
    kind text NOT NULL,
    district text,
    parent text,
    name text NOT NULL,
    args jsonb NOT NULL,
    expires_after_s integer NOT NULL CHECK (expires_after_s > 0),
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'refused')),
    devices integer NOT NULL,
    requested_by integer NOT NULL REFERENCES principal (id),
    requested_at timestamptz NOT NULL,
    decided_by integer REFERENCES principal (id),
    decided_at timestamptz,
    CHECK (decided_by IS DISTINCT FROM requested_by OR state <> 'approved')
);
ALTER TABLE command ADD FOREIGN KEY (request_id) REFERENCES command_request (id);
CREATE INDEX command_of_request ON command (request_id) WHERE request_id IS NOT NULL;
COMMENT ON TABLE command_request IS 'commands to many devices: asked for by one administrator, approved by another';
COMMENT ON COLUMN command_request.devices IS 'how many devices it was for when it was asked for, then when it was approved';

CREATE TABLE device_config (
    device_id integer PRIMARY KEY REFERENCES device (id),
    desired jsonb NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 0,
    desired_at timestamptz,
    desired_by integer REFERENCES principal (id),
    published_version integer NOT NULL DEFAULT 0,
    published_topic text,
    published_at timestamptz,
    reported jsonb NOT NULL DEFAULT '{}',
    refused jsonb NOT NULL DEFAULT '{}',
    reported_version integer,
    reported_at timestamptz,
    firmware text
);
CREATE INDEX device_config_unpublished ON device_config (device_id) WHERE published_version <> version;
CREATE INDEX device_config_apart ON device_config (device_id) WHERE NOT reported @> desired;
COMMENT ON TABLE device_config IS 'what a device is to be set to, which the broker retains, and what it says it is set to';
