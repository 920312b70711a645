-- What sweep rules remember, and which alerts stand back behind another.

ALTER TABLE alert ADD COLUMN inhibited_by bigint;
ALTER TABLE alert ADD COLUMN held_until timestamptz;
-- The table is as large as the number of alerts there ever were: checked without holding up its writers.
ALTER TABLE alert ADD CONSTRAINT alert_inhibited_by FOREIGN KEY (inhibited_by) REFERENCES alert (id) NOT VALID;
COMMENT ON COLUMN alert.inhibited_by IS 'the open alert that makes this one unnecessary; what it stood back behind last once resolved';
COMMENT ON COLUMN alert.held_until IS 'our time until which a parent may still open and inhibit it; NULL where no rule can';
-- Brief: alerts are few beside readings, and both indexes hold open ones only.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_open_device ON alert (device_id) WHERE state = 'firing';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX alert_open_inhibited ON alert (inhibited_by) WHERE state = 'firing' AND inhibited_by IS NOT NULL;

-- Widened at once below.
-- squawk-ignore ban-drop-constraint
ALTER TABLE alert_note DROP CONSTRAINT alert_note_type_check;
ALTER TABLE alert_note ADD CONSTRAINT alert_note_type_check
CHECK (type IN ('acknowledged', 'comment', 'inhibited', 'surfaced')) NOT VALID;
COMMENT ON TABLE alert_note IS 'what people did about an alert, and when it stood back behind another; never changes its condition';

CREATE TABLE sweep_pending (
    rule text NOT NULL,
    device_id integer NOT NULL REFERENCES device (id),
    since timestamptz NOT NULL,
    dismissed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (rule, device_id)
);
COMMENT ON TABLE sweep_pending IS 'devices that a sweep rule suspects, before the time it gives them is over';
COMMENT ON COLUMN sweep_pending.dismissed IS 'looked into: the device never sent what is missing';

CREATE TABLE forecast (
    rule text NOT NULL,
    device_id integer NOT NULL REFERENCES device (id),
    observed_at timestamptz NOT NULL,
    emptied_at timestamptz,
    level double precision,
    rate_per_h double precision,
    p50_at timestamptz,
    p80_at timestamptz,
    samples integer NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (rule, device_id)
);
CREATE INDEX forecast_device ON forecast (device_id);
COMMENT ON TABLE forecast IS 'when a device will be full, and what is remembered to tell that';
COMMENT ON COLUMN forecast.p50_at IS 'as likely before as after; NULL: it does not fill, or is not known yet';
COMMENT ON COLUMN forecast.p80_at IS 'full by then with four chances in five';
