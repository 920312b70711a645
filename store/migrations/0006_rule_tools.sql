-- Who changed which rule, and rules that run beside the live ones without ever alerting.

CREATE TABLE rule_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    version integer,
    action text NOT NULL CHECK (
        action IN ('applied', 'enabled', 'disabled', 'shadowed', 'promoted', 'dropped')
    ),
    author text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX rule_change_rule ON rule_change (rule, id);
COMMENT ON TABLE rule_change IS 'who changed which rule, and when; versions themselves are in table rule';
COMMENT ON COLUMN rule_change.version IS 'of table rule, NULL for what concerns a shadow only';

CREATE TABLE rule_shadow (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule text NOT NULL,
    kind text NOT NULL,
    definition jsonb NOT NULL,
    author text NOT NULL,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text CHECK (outcome IN ('promoted', 'dropped', 'replaced')),
    broken_at timestamptz,
    broken_reason text,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE UNIQUE INDEX rule_shadow_one ON rule_shadow (rule) WHERE ended_at IS NULL;
COMMENT ON TABLE rule_shadow IS 'rules on trial: evaluated on every batch, recorded beside the live rule, never alerting';

CREATE TABLE shadow_transition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shadow_id integer NOT NULL REFERENCES rule_shadow (id),
    device_id integer NOT NULL REFERENCES device (id),
    from_state text NOT NULL CHECK (from_state IN ('inactive', 'pending', 'firing')),
    to_state text NOT NULL CHECK (to_state IN ('firing', 'resolved')),
    severity text NOT NULL,
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    detected_at timestamptz NOT NULL,
    evidence jsonb NOT NULL
);
CREATE INDEX shadow_transition_device ON shadow_transition (shadow_id, device_id, id);
COMMENT ON TABLE shadow_transition IS 'what a shadow would have done; no alert and no notification comes of it';
