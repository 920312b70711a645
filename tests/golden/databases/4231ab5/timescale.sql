CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE TABLE IF NOT EXISTS nabd_schema (
    edition text NOT NULL CHECK (edition IN ('plain', 'timescale')),
    created_at timestamptz NOT NULL DEFAULT now(),
    one boolean PRIMARY KEY DEFAULT true CHECK (one)
);
CREATE TABLE IF NOT EXISTS nabd_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applicable boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO public.nabd_schema (edition) VALUES ('timescale');
INSERT INTO public.nabd_migration (number, name, checksum, applicable) VALUES
(1, 'registry', '60608e24ac8fc8d2127ffc9fc016f252dc7b22d2d79d3e1a81535138acc955c7', true),
(2, 'ingest', 'b1d8d92e679abfedb02a3c84712ac5877fdfd9b049652d14be02528724dfca69', true),
(3, 'alerts', 'a2fcd10f3032bc982fd9d8635d0a57014cca3ae97794654820db7b883f90886a', true),
(4, 'sweeps', '83bb51aad09f5aef3686ffe4abd81c043b0dc9b87a0eed35b3721d43f2fa0364', true),
(5, 'rejections_by_time', '73f317f4279bf4570e3e1c99ee24a14cae40c42fc63523744f48d8de018cb7c8', true),
(6, 'rule_tools', 'a65f21750df6067e46278b26047b96ec91a465a161038f2d37392df9082a71e2', true),
(7, 'maintenance', '07c5cd17ec46971b55c5912ba846ac1b78f63df8dbb6e202c8d81a5abc3d37bc', true),
(8, 'session', '277724217f28d3f05dec6ac913d3f18624b5cc66a6320061b4fac5040b084b4c', true),
(9, 'shadow_retention', '265bb1cdc282c5a00e9aaaccfdd3fc31ed18a92b9fee5c3d5d99991a1acd0740', true),
(10, 'watching', '2d0081ef0be907094af200c10d124fcda2a9e6aef7a6df8989b5999fbec2e9f9', true),
(11, 'latest_fill', '5fcf24fc45f828ae40733cda3cc4d8a44706758a73469cbcaf9d478842edb651', true);
-- Municipalities and what stands in them. Every other row belongs to one of these.

CREATE TABLE municipality (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9-]{1,32}$'),
    title jsonb NOT NULL DEFAULT '{}',
    time_zone text NOT NULL DEFAULT 'UTC',
    locale text NOT NULL DEFAULT 'en',
    weekend smallint [] NOT NULL DEFAULT '{6,7}',
    lat double precision,
    lon double precision,
    register_unknown boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN municipality.weekend IS 'ISO days of the week, 1 is Monday';
COMMENT ON COLUMN municipality.register_unknown IS 'register an unknown device when it first speaks';

CREATE TABLE device (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[A-Za-z0-9_.:-]{1,64}$'),
    municipality_id integer NOT NULL REFERENCES municipality (id),
    kind text NOT NULL,
    parent_id integer REFERENCES device (id),
    title text NOT NULL DEFAULT '',
    lat double precision,
    lon double precision,
    attributes jsonb NOT NULL DEFAULT '{}',
    retired_at timestamptz,
    retired_reason text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((retired_at IS NULL) = (retired_reason IS NULL))
);
CREATE INDEX device_municipality ON device (municipality_id, kind, name);
CREATE INDEX device_parent ON device (parent_id) WHERE parent_id IS NOT NULL;
COMMENT ON COLUMN device.name IS 'the id the device uses on the wire, unique on the platform';

CREATE TABLE presence (
    device_id integer PRIMARY KEY REFERENCES device (id),
    online boolean NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TABLE latest (
    device_id integer PRIMARY KEY REFERENCES device (id),
    observed_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    interval_s double precision NOT NULL,
    quality bigint NOT NULL,
    measurements jsonb NOT NULL
);
COMMENT ON TABLE latest IS 'newest reading of each device, flushed at most once a second';
COMMENT ON COLUMN latest.interval_s IS 'how soon the next reading is expected after received_at';

CREATE TABLE command (
    id uuid PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device (id),
    name text NOT NULL,
    args jsonb NOT NULL,
    status text NOT NULL DEFAULT 'sent' CHECK (
        status IN ('sent', 'accepted', 'running', 'succeeded', 'failed', 'rejected', 'expired')
    ),
    detail text,
    result jsonb,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX command_device ON command (device_id, created_at);
-- What ingest writes beside readings: whose turn it is, what was received, what was refused and why.

CREATE TABLE shard (
    name text PRIMARY KEY,
    owner uuid,
    batch bigint NOT NULL DEFAULT 0,
    generation bigint NOT NULL DEFAULT 0,
    alive_at timestamptz,
    caught_up_at timestamptz
);
COMMENT ON COLUMN shard.batch IS 'number of the last committed batch; moving it is the fence';
COMMENT ON COLUMN shard.generation IS 'counts changes of the registry and of rules that ingest must see';
COMMENT ON COLUMN shard.caught_up_at IS 'since when the broker had nothing waiting for us; NULL while catching up';
INSERT INTO shard (name) VALUES ('main');

CREATE TABLE ledger (
    shard text NOT NULL REFERENCES shard (name),
    batch bigint NOT NULL,
    source text NOT NULL DEFAULT 'mqtt' CHECK (source IN ('mqtt', 'replay')),
    received_at timestamptz NOT NULL,
    oldest_observed_at timestamptz,
    messages integer NOT NULL,
    received integer NOT NULL,
    stored integer NOT NULL,
    duplicate integer NOT NULL,
    rejected integer NOT NULL,
    undated integer NOT NULL,
    PRIMARY KEY (shard, batch),
    CHECK (received = stored + duplicate + rejected)
);
COMMENT ON COLUMN ledger.received IS 'readings; a message that cannot be decoded counts one';

CREATE TABLE ledger_device (
    shard text NOT NULL,
    batch bigint NOT NULL,
    device text NOT NULL,
    outcome text NOT NULL,
    readings integer NOT NULL,
    PRIMARY KEY (shard, batch, device, outcome),
    FOREIGN KEY (shard, batch) REFERENCES ledger (shard, batch)
);
COMMENT ON COLUMN ledger_device.outcome IS 'duplicate, or the reason of a rejection';

CREATE TABLE rejection (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shard text NOT NULL,
    batch bigint NOT NULL,
    received_at timestamptz NOT NULL,
    topic text NOT NULL,
    device text NOT NULL,
    reason text NOT NULL,
    pointer text NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    replay_requested_at timestamptz,
    replayed_at timestamptz
);
CREATE INDEX rejection_device ON rejection (device, id);
CREATE INDEX rejection_replay ON rejection (id) WHERE replay_requested_at IS NOT NULL AND replayed_at IS NULL;
COMMENT ON COLUMN rejection.device IS 'the device of a relayed element, else of the topic, empty where there is none';
COMMENT ON COLUMN rejection.payload IS 'the offending element as it arrived, or the whole message';

CREATE TABLE clock_offset (
    device_id integer NOT NULL REFERENCES device (id),
    covers tstzrange NOT NULL,
    ahead interval NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (device_id, covers)
);
COMMENT ON TABLE clock_offset IS 'device times that ran ahead, and by how much; a repeat meets the same instant';
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
-- A restarted ingest counts what it has kept of the present hour. At most a hundred rejections a device and
-- hour are kept, so that building the index holds nobody up for long.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX rejection_received ON rejection (received_at);
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
-- When people work on devices: rules do not look meanwhile.

CREATE TABLE maintenance_window (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    municipality_id integer REFERENCES municipality (id),
    device_id integer REFERENCES device (id),
    from_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    created_at timestamptz NOT NULL,
    CHECK (from_at < until_at),
    CHECK ((municipality_id IS NULL) <> (device_id IS NULL))
);
COMMENT ON COLUMN maintenance_window.device_id IS 'this device and everything below it';
COMMENT ON COLUMN maintenance_window.until_at IS 'not included';
-- Under which name ingest keeps its session at the broker: another one in every installation, since two of one
-- name would take the session from each other without end.

-- A table of one row: no lock of it is long.
-- squawk-ignore adding-field-with-default
ALTER TABLE shard ADD COLUMN client_id text NOT NULL DEFAULT 'nabd-' || left(md5(gen_random_uuid()::text), 12);
COMMENT ON COLUMN shard.client_id IS 'MQTT client id; what the broker holds for ingest belongs to it';

-- A shard that has worked before keeps its session, and with it what the broker holds.
UPDATE shard SET client_id = 'nabd-ingest-' || name WHERE alive_at IS NOT NULL;
-- What shadows would have done is kept for as long as readings are.

ALTER TABLE rule_shadow ADD COLUMN pruned_until timestamptz;
COMMENT ON COLUMN rule_shadow.pruned_until IS 'what ended before this is gone from shadow_transition; NULL: all is there';
-- What the metrics of the platform are read from, so that a scrape costs the same after years as on the first day.

CREATE TABLE ledger_total (
    shard text PRIMARY KEY REFERENCES shard (name),
    batch bigint NOT NULL DEFAULT 0,
    messages bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    undated bigint NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ledger_total IS 'sums of the ledger up to a batch; what came since is added when asked';
COMMENT ON COLUMN ledger_total.reasons IS 'rejected readings by reason';

CREATE TABLE sweep_run (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    swept_at timestamptz NOT NULL
);
COMMENT ON TABLE sweep_run IS 'when sweep rules looked last; no row: never';
-- The newest readings change in place once a second: with room on its page an update touches no index.
ALTER TABLE latest SET (fillfactor = 50);
CREATE TABLE bin_reading (
    device_id integer NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    quality bigint NOT NULL,
    boot bigint,
    seq bigint,
    distance_mm double precision,
    fill_pct double precision,
    temperature_c double precision,
    tilt_deg double precision,
    lid_open boolean,
    weight_kg double precision,
    methane_ppm double precision,
    battery_v double precision,
    battery_pct double precision,
    rssi_dbm double precision,
    snr_db double precision,
    lat double precision,
    lon double precision,
    extra jsonb,
    UNIQUE (device_id, observed_at)
);
SELECT create_hypertable('bin_reading', by_range('observed_at', INTERVAL '86400 seconds'), create_default_indexes => false);
ALTER TABLE bin_reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'observed_at');
CALL add_columnstore_policy('bin_reading', after => INTERVAL '1209600 seconds');
SELECT add_retention_policy('bin_reading', drop_after => INTERVAL '3153600000 seconds');
CREATE TABLE drone_reading (
    device_id integer NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    quality bigint NOT NULL,
    boot bigint,
    seq bigint,
    lat double precision,
    lon double precision,
    alt_m double precision,
    heading_deg double precision,
    speed_mps double precision,
    flight_phase text,
    mission text,
    zone text,
    battery_pct double precision,
    battery_v double precision,
    battery_temperature_c double precision,
    cell_spread_v double precision,
    battery_cycles double precision,
    tank_l double precision,
    flow_lpm double precision,
    pressure_bar double precision,
    application_l_ha double precision,
    gnss_fix double precision,
    satellites double precision,
    wind_mps double precision,
    vibration_mps2 double precision,
    rssi_dbm double precision,
    extra jsonb,
    UNIQUE (device_id, observed_at)
);
SELECT create_hypertable('drone_reading', by_range('observed_at', INTERVAL '86400 seconds'), create_default_indexes => false);
ALTER TABLE drone_reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'observed_at');
CALL add_columnstore_policy('drone_reading', after => INTERVAL '1209600 seconds');
SELECT add_retention_policy('drone_reading', drop_after => INTERVAL '3153600000 seconds');
CREATE TABLE light_reading (
    device_id integer NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    quality bigint NOT NULL,
    boot bigint,
    seq bigint,
    power_w double precision,
    voltage_v double precision,
    current_a double precision,
    power_factor double precision,
    dim_pct double precision,
    commanded_dim_pct double precision,
    energy_kwh double precision,
    burn_hours double precision,
    driver_temperature_c double precision,
    lux double precision,
    tilt_deg double precision,
    rssi_dbm double precision,
    extra jsonb,
    UNIQUE (device_id, observed_at)
);
SELECT create_hypertable('light_reading', by_range('observed_at', INTERVAL '86400 seconds'), create_default_indexes => false);
ALTER TABLE light_reading SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'device_id', timescaledb.orderby = 'observed_at');
CALL add_columnstore_policy('light_reading', after => INTERVAL '1209600 seconds');
SELECT add_retention_policy('light_reading', drop_after => INTERVAL '3153600000 seconds');
CREATE OR REPLACE VIEW v_device AS
SELECT
    d.id AS device_id,
    d.name AS device,
    m.name AS municipality,
    d.kind,
    p.name AS parent,
    d.title,
    d.lat,
    d.lon,
    d.attributes,
    d.retired_at,
    d.retired_reason,
    o.online,
    o.changed_at AS online_changed_at,
    l.observed_at,
    l.received_at,
    l.interval_s,
    l.quality,
    l.measurements
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN presence AS o ON d.id = o.device_id
LEFT JOIN latest AS l ON d.id = l.device_id;
CREATE OR REPLACE VIEW v_alert AS
SELECT
    a.id AS alert_id,
    d.name AS device,
    m.name AS municipality,
    d.kind,
    a.rule,
    a.rule_version,
    a.state,
    a.severity,
    a.opened_at,
    a.detected_at,
    a.resolved_at,
    a.acknowledged_at,
    a.acknowledged_by,
    a.summary,
    a.evidence,
    d.lat,
    d.lon,
    a.inhibited_by,
    a.held_until
FROM alert AS a
INNER JOIN device AS d ON a.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id;
CREATE OR REPLACE VIEW v_ledger AS
SELECT
    date_trunc('day', received_at, 'UTC') AS day,
    shard,
    source,
    count(*) AS batches,
    sum(messages) AS messages,
    sum(received) AS received,
    sum(stored) AS stored,
    sum(duplicate) AS duplicate,
    sum(rejected) AS rejected,
    sum(undated) AS undated
FROM ledger
GROUP BY 1, 2, 3;
CREATE OR REPLACE VIEW v_bin AS
SELECT
    r.device_id,
    d.name AS device,
    m.name AS municipality,
    r.observed_at,
    r.received_at,
    r.quality,
    r.boot,
    r.seq,
    r.extra,
    r.distance_mm,
    r.fill_pct,
    r.temperature_c,
    r.tilt_deg,
    r.lid_open,
    r.weight_kg,
    r.methane_ppm,
    r.battery_v,
    r.battery_pct,
    r.rssi_dbm,
    r.snr_db,
    r.lat,
    r.lon
FROM bin_reading AS r
INNER JOIN device AS d ON r.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id;
CREATE OR REPLACE VIEW v_drone AS
SELECT
    r.device_id,
    d.name AS device,
    m.name AS municipality,
    r.observed_at,
    r.received_at,
    r.quality,
    r.boot,
    r.seq,
    r.extra,
    r.lat,
    r.lon,
    r.alt_m,
    r.heading_deg,
    r.speed_mps,
    r.flight_phase,
    r.mission,
    r.zone,
    r.battery_pct,
    r.battery_v,
    r.battery_temperature_c,
    r.cell_spread_v,
    r.battery_cycles,
    r.tank_l,
    r.flow_lpm,
    r.pressure_bar,
    r.application_l_ha,
    r.gnss_fix,
    r.satellites,
    r.wind_mps,
    r.vibration_mps2,
    r.rssi_dbm
FROM drone_reading AS r
INNER JOIN device AS d ON r.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id;
CREATE OR REPLACE VIEW v_light AS
SELECT
    r.device_id,
    d.name AS device,
    m.name AS municipality,
    r.observed_at,
    r.received_at,
    r.quality,
    r.boot,
    r.seq,
    r.extra,
    r.power_w,
    r.voltage_v,
    r.current_a,
    r.power_factor,
    r.dim_pct,
    r.commanded_dim_pct,
    r.energy_kwh,
    r.burn_hours,
    r.driver_temperature_c,
    r.lux,
    r.tilt_deg,
    r.rssi_dbm
FROM light_reading AS r
INNER JOIN device AS d ON r.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id;
DELETE FROM shard;
