-- Rules, the alerts they raise, and what people did about them.

CREATE TABLE rule (
    id text NOT NULL,
    version integer NOT NULL,
    kind text,
    definition jsonb NOT NULL,
    active boolean NOT NULL DEFAULT true,
    broken_at timestamptz,
    broken_reason text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, version)
);
CREATE UNIQUE INDEX rule_one_active ON rule (id) WHERE active;
COMMENT ON COLUMN rule.kind IS 'NULL: any kind';

CREATE TABLE rule_checkpoint (
    shard text NOT NULL REFERENCES shard (name),
    kind text NOT NULL,
    batch bigint NOT NULL,
    received_at timestamptz NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (shard, kind)
);
COMMENT ON TABLE rule_checkpoint IS 'evaluator state as of a batch; a restart replays the rows received since';

CREATE TABLE alert (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    rule_version integer NOT NULL,
    device_id integer NOT NULL REFERENCES device (id),
    state text NOT NULL CHECK (state IN ('firing', 'resolved')),
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    opened_at timestamptz NOT NULL,
    detected_at timestamptz NOT NULL,
    resolved_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_by text,
    summary jsonb NOT NULL,
    evidence jsonb NOT NULL,
    FOREIGN KEY (rule, rule_version) REFERENCES rule (id, version),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
);
CREATE UNIQUE INDEX alert_one_open ON alert (rule, device_id) WHERE state = 'firing';
CREATE INDEX alert_device ON alert (device_id, id);
COMMENT ON COLUMN alert.opened_at IS 'observed: device time at which the condition had held long enough';
COMMENT ON COLUMN alert.detected_at IS 'our time at which we knew';
COMMENT ON COLUMN alert.summary IS 'sentence by language: en, fr, ar';

-- One numbering for both, so that the live stream has one order: (xid, id).
CREATE SEQUENCE alert_event_id;

CREATE TABLE transition (
    id bigint PRIMARY KEY DEFAULT nextval('alert_event_id'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    alert_id bigint NOT NULL REFERENCES alert (id),
    from_state text NOT NULL CHECK (from_state IN ('inactive', 'pending', 'firing')),
    to_state text NOT NULL CHECK (to_state IN ('firing', 'resolved')),
    severity text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    detected_at timestamptz NOT NULL,
    evidence jsonb NOT NULL
);
CREATE INDEX transition_alert ON transition (alert_id, id);
CREATE INDEX transition_order ON transition (xid, id);
COMMENT ON TABLE transition IS 'changes of a condition, written with the reading that caused them; the outbox';

CREATE TABLE alert_note (
    id bigint PRIMARY KEY DEFAULT nextval('alert_event_id'),
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    alert_id bigint NOT NULL REFERENCES alert (id),
    type text NOT NULL CHECK (type IN ('acknowledged', 'comment')),
    author text NOT NULL,
    body text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL
);
CREATE INDEX alert_note_alert ON alert_note (alert_id, id);
CREATE INDEX alert_note_order ON alert_note (xid, id);
COMMENT ON TABLE alert_note IS 'what people did about an alert; never changes its condition';

CREATE TABLE token (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    hash bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
COMMENT ON COLUMN token.hash IS 'SHA-256 of a random 256-bit token; the token itself is shown once';
