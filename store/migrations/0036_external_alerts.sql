-- Alerts of other systems, which end when their sender says so or is silent.

CREATE TABLE external_alert (
    rule text NOT NULL,
    device_id integer NOT NULL REFERENCES device (id),
    fingerprint bytea NOT NULL,
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    labels jsonb NOT NULL,
    annotations jsonb NOT NULL,
    generator_url text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    PRIMARY KEY (rule, device_id, fingerprint)
);
CREATE INDEX external_alert_end ON external_alert (ends_at);
COMMENT ON TABLE external_alert IS 'what other systems say holds; an alert is open while one of its rule and device does';
COMMENT ON COLUMN external_alert.fingerprint IS 'SHA-256 of the labels: the same labels are the same thing';

-- Widened at once below.
-- squawk-ignore ban-drop-constraint
ALTER TABLE token DROP CONSTRAINT token_scopes_check;
ALTER TABLE token ADD CONSTRAINT token_scopes_check CHECK (scopes <@ '{metrics,sms-answers,alerts}') NOT VALID;
