CREATE TABLE public.alert (
    id bigint NOT NULL,
    rule text NOT NULL,
    rule_version integer NOT NULL,
    device_id integer NOT NULL,
    state text NOT NULL,
    severity text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    detected_at timestamp with time zone NOT NULL,
    resolved_at timestamp with time zone,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    summary jsonb NOT NULL,
    evidence jsonb NOT NULL,
    inhibited_by bigint,
    held_until timestamp with time zone,
    CONSTRAINT alert_check CHECK (((state = 'resolved'::text) = (resolved_at IS NOT NULL))),
    CONSTRAINT alert_severity_check CHECK ((severity = ANY (ARRAY['critical'::text, 'major'::text, 'minor'::text, 'warning'::text]))),
    CONSTRAINT alert_state_check CHECK ((state = ANY (ARRAY['firing'::text, 'resolved'::text])))
);
COMMENT ON COLUMN public.alert.opened_at IS 'observed: device time at which the condition had held long enough';
COMMENT ON COLUMN public.alert.detected_at IS 'our time at which we knew';
COMMENT ON COLUMN public.alert.summary IS 'sentence by language: en, fr, ar';
COMMENT ON COLUMN public.alert.inhibited_by IS 'the open alert that makes this one unnecessary; what it stood back behind last once resolved';
COMMENT ON COLUMN public.alert.held_until IS 'our time until which a parent may still open and inhibit it; NULL where no rule can';
CREATE SEQUENCE public.alert_event_id
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER TABLE public.alert ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alert_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alert_note (
    id bigint DEFAULT nextval('public.alert_event_id'::regclass) NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    alert_id bigint NOT NULL,
    type text NOT NULL,
    author text NOT NULL,
    body text DEFAULT ''::text NOT NULL,
    created_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.alert_note IS 'what people did about an alert, and when it stood back behind another; never changes its condition';
CREATE TABLE public.bin_reading (
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
    extra jsonb
)
PARTITION BY RANGE (observed_at);
CREATE TABLE public.bin_reading_20260518 (
    device_id integer CONSTRAINT bin_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT bin_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT bin_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT bin_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.bin_reading_20260525 (
    device_id integer CONSTRAINT bin_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT bin_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT bin_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT bin_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.bin_reading_20260601 (
    device_id integer CONSTRAINT bin_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT bin_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT bin_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT bin_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.bin_reading_20260608 (
    device_id integer CONSTRAINT bin_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT bin_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT bin_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT bin_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.bin_reading_20260615 (
    device_id integer CONSTRAINT bin_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT bin_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT bin_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT bin_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.bin_reading_other (
    device_id integer CONSTRAINT bin_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT bin_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT bin_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT bin_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.clock_offset (
    device_id integer NOT NULL,
    covers tstzrange NOT NULL,
    ahead interval NOT NULL,
    created_at timestamp with time zone NOT NULL
);
COMMENT ON TABLE public.clock_offset IS 'device times that ran ahead, and by how much; a repeat meets the same instant';
CREATE TABLE public.command (
    id uuid NOT NULL,
    device_id integer NOT NULL,
    name text NOT NULL,
    args jsonb NOT NULL,
    status text DEFAULT 'sent'::text NOT NULL,
    detail text,
    result jsonb,
    expires_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT command_status_check CHECK ((status = ANY (ARRAY['sent'::text, 'accepted'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'rejected'::text, 'expired'::text])))
);
CREATE TABLE public.device (
    id integer NOT NULL,
    name text NOT NULL,
    municipality_id integer NOT NULL,
    kind text NOT NULL,
    parent_id integer,
    title text DEFAULT ''::text NOT NULL,
    lat double precision,
    lon double precision,
    attributes jsonb DEFAULT '{}'::jsonb NOT NULL,
    retired_at timestamp with time zone,
    retired_reason text,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT device_check CHECK (((retired_at IS NULL) = (retired_reason IS NULL))),
    CONSTRAINT device_name_check CHECK ((name ~ '^[A-Za-z0-9_.:-]{1,64}$'::text))
);
COMMENT ON COLUMN public.device.name IS 'the id the device uses on the wire, unique on the platform';
ALTER TABLE public.device ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.device_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.drone_reading (
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
    extra jsonb
)
PARTITION BY RANGE (observed_at);
CREATE TABLE public.drone_reading_20260518 (
    device_id integer CONSTRAINT drone_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT drone_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT drone_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT drone_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.drone_reading_20260525 (
    device_id integer CONSTRAINT drone_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT drone_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT drone_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT drone_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.drone_reading_20260601 (
    device_id integer CONSTRAINT drone_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT drone_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT drone_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT drone_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.drone_reading_20260608 (
    device_id integer CONSTRAINT drone_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT drone_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT drone_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT drone_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.drone_reading_20260615 (
    device_id integer CONSTRAINT drone_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT drone_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT drone_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT drone_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.drone_reading_other (
    device_id integer CONSTRAINT drone_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT drone_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT drone_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT drone_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.forecast (
    rule text NOT NULL,
    device_id integer NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    emptied_at timestamp with time zone,
    level double precision,
    rate_per_h double precision,
    p50_at timestamp with time zone,
    p80_at timestamp with time zone,
    samples integer NOT NULL,
    state bytea NOT NULL
);
COMMENT ON TABLE public.forecast IS 'when a device will be full, and what is remembered to tell that';
COMMENT ON COLUMN public.forecast.p50_at IS 'as likely before as after; NULL: it does not fill, or is not known yet';
COMMENT ON COLUMN public.forecast.p80_at IS 'full by then with four chances in five';
CREATE TABLE public.latest (
    device_id integer NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    interval_s double precision NOT NULL,
    quality bigint NOT NULL,
    measurements jsonb NOT NULL
)
WITH (fillfactor='50');
COMMENT ON TABLE public.latest IS 'newest reading of each device, flushed at most once a second';
COMMENT ON COLUMN public.latest.interval_s IS 'how soon the next reading is expected after received_at';
CREATE TABLE public.ledger (
    shard text NOT NULL,
    batch bigint NOT NULL,
    source text DEFAULT 'mqtt'::text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    oldest_observed_at timestamp with time zone,
    messages integer NOT NULL,
    received integer NOT NULL,
    stored integer NOT NULL,
    duplicate integer NOT NULL,
    rejected integer NOT NULL,
    undated integer NOT NULL,
    CONSTRAINT ledger_check CHECK ((received = ((stored + duplicate) + rejected))),
    CONSTRAINT ledger_source_check CHECK ((source = ANY (ARRAY['mqtt'::text, 'replay'::text])))
);
COMMENT ON COLUMN public.ledger.received IS 'readings; a message that cannot be decoded counts one';
CREATE TABLE public.ledger_device (
    shard text NOT NULL,
    batch bigint NOT NULL,
    device text NOT NULL,
    outcome text NOT NULL,
    readings integer NOT NULL
);
COMMENT ON COLUMN public.ledger_device.outcome IS 'duplicate, or the reason of a rejection';
CREATE TABLE public.ledger_total (
    shard text NOT NULL,
    batch bigint DEFAULT 0 NOT NULL,
    messages bigint DEFAULT 0 NOT NULL,
    stored bigint DEFAULT 0 NOT NULL,
    duplicate bigint DEFAULT 0 NOT NULL,
    undated bigint DEFAULT 0 NOT NULL,
    reasons jsonb DEFAULT '{}'::jsonb NOT NULL
);
COMMENT ON TABLE public.ledger_total IS 'sums of the ledger up to a batch; what came since is added when asked';
COMMENT ON COLUMN public.ledger_total.reasons IS 'rejected readings by reason';
CREATE TABLE public.light_reading (
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
    extra jsonb
)
PARTITION BY RANGE (observed_at);
CREATE TABLE public.light_reading_20260518 (
    device_id integer CONSTRAINT light_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT light_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT light_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT light_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.light_reading_20260525 (
    device_id integer CONSTRAINT light_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT light_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT light_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT light_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.light_reading_20260601 (
    device_id integer CONSTRAINT light_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT light_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT light_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT light_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.light_reading_20260608 (
    device_id integer CONSTRAINT light_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT light_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT light_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT light_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.light_reading_20260615 (
    device_id integer CONSTRAINT light_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT light_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT light_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT light_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.light_reading_other (
    device_id integer CONSTRAINT light_reading_device_id_not_null NOT NULL,
    observed_at timestamp with time zone CONSTRAINT light_reading_observed_at_not_null NOT NULL,
    received_at timestamp with time zone CONSTRAINT light_reading_received_at_not_null NOT NULL,
    quality bigint CONSTRAINT light_reading_quality_not_null NOT NULL,
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
    extra jsonb
);
CREATE TABLE public.maintenance_window (
    id bigint NOT NULL,
    municipality_id integer,
    device_id integer,
    from_at timestamp with time zone NOT NULL,
    until_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT maintenance_window_check CHECK ((from_at < until_at)),
    CONSTRAINT maintenance_window_check1 CHECK (((municipality_id IS NULL) <> (device_id IS NULL)))
);
COMMENT ON COLUMN public.maintenance_window.device_id IS 'this device and everything below it';
COMMENT ON COLUMN public.maintenance_window.until_at IS 'not included';
ALTER TABLE public.maintenance_window ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.maintenance_window_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.municipality (
    id integer NOT NULL,
    name text NOT NULL,
    title jsonb DEFAULT '{}'::jsonb NOT NULL,
    time_zone text DEFAULT 'UTC'::text NOT NULL,
    locale text DEFAULT 'en'::text NOT NULL,
    weekend smallint[] DEFAULT '{6,7}'::smallint[] NOT NULL,
    lat double precision,
    lon double precision,
    register_unknown boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT municipality_name_check CHECK ((name ~ '^[a-z0-9-]{1,32}$'::text))
);
COMMENT ON COLUMN public.municipality.weekend IS 'ISO days of the week, 1 is Monday';
COMMENT ON COLUMN public.municipality.register_unknown IS 'register an unknown device when it first speaks';
ALTER TABLE public.municipality ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.municipality_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.nabd_migration (
    number integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applicable boolean NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.nabd_schema (
    edition text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    one boolean DEFAULT true NOT NULL,
    CONSTRAINT nabd_schema_edition_check CHECK ((edition = ANY (ARRAY['plain'::text, 'timescale'::text]))),
    CONSTRAINT nabd_schema_one_check CHECK (one)
);
CREATE TABLE public.presence (
    device_id integer NOT NULL,
    online boolean NOT NULL,
    changed_at timestamp with time zone NOT NULL
);
CREATE TABLE public.rejection (
    id bigint NOT NULL,
    shard text NOT NULL,
    batch bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    topic text NOT NULL,
    device text NOT NULL,
    reason text NOT NULL,
    pointer text NOT NULL,
    detail text NOT NULL,
    payload bytea NOT NULL,
    replay_requested_at timestamp with time zone,
    replayed_at timestamp with time zone
);
COMMENT ON COLUMN public.rejection.device IS 'the device of a relayed element, else of the topic, empty where there is none';
COMMENT ON COLUMN public.rejection.payload IS 'the offending element as it arrived, or the whole message';
ALTER TABLE public.rejection ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rejection_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rule (
    id text NOT NULL,
    version integer NOT NULL,
    kind text,
    definition jsonb NOT NULL,
    active boolean DEFAULT true NOT NULL,
    broken_at timestamp with time zone,
    broken_reason text,
    created_at timestamp with time zone NOT NULL
);
COMMENT ON COLUMN public.rule.kind IS 'NULL: any kind';
CREATE TABLE public.rule_change (
    id bigint NOT NULL,
    rule text NOT NULL,
    version integer,
    action text NOT NULL,
    author text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT rule_change_action_check CHECK ((action = ANY (ARRAY['applied'::text, 'enabled'::text, 'disabled'::text, 'shadowed'::text, 'promoted'::text, 'dropped'::text])))
);
COMMENT ON TABLE public.rule_change IS 'who changed which rule, and when; versions themselves are in table rule';
COMMENT ON COLUMN public.rule_change.version IS 'of table rule, NULL for what concerns a shadow only';
ALTER TABLE public.rule_change ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rule_change_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.rule_checkpoint (
    shard text NOT NULL,
    kind text NOT NULL,
    batch bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    state bytea NOT NULL
);
COMMENT ON TABLE public.rule_checkpoint IS 'evaluator state as of a batch; a restart replays the rows received since';
CREATE TABLE public.rule_shadow (
    id integer NOT NULL,
    rule text NOT NULL,
    kind text NOT NULL,
    definition jsonb NOT NULL,
    author text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    outcome text,
    broken_at timestamp with time zone,
    broken_reason text,
    pruned_until timestamp with time zone,
    CONSTRAINT rule_shadow_check CHECK (((ended_at IS NULL) = (outcome IS NULL))),
    CONSTRAINT rule_shadow_outcome_check CHECK ((outcome = ANY (ARRAY['promoted'::text, 'dropped'::text, 'replaced'::text])))
);
COMMENT ON TABLE public.rule_shadow IS 'rules on trial: evaluated on every batch, recorded beside the live rule, never alerting';
COMMENT ON COLUMN public.rule_shadow.pruned_until IS 'what ended before this is gone from shadow_transition; NULL: all is there';
ALTER TABLE public.rule_shadow ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.rule_shadow_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.shadow_transition (
    id bigint NOT NULL,
    shadow_id integer NOT NULL,
    device_id integer NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    severity text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    detected_at timestamp with time zone NOT NULL,
    evidence jsonb NOT NULL,
    CONSTRAINT shadow_transition_from_state_check CHECK ((from_state = ANY (ARRAY['inactive'::text, 'pending'::text, 'firing'::text]))),
    CONSTRAINT shadow_transition_to_state_check CHECK ((to_state = ANY (ARRAY['firing'::text, 'resolved'::text])))
);
COMMENT ON TABLE public.shadow_transition IS 'what a shadow would have done; no alert and no notification comes of it';
ALTER TABLE public.shadow_transition ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.shadow_transition_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.shard (
    name text NOT NULL,
    owner uuid,
    batch bigint DEFAULT 0 NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    alive_at timestamp with time zone,
    caught_up_at timestamp with time zone,
    client_id text DEFAULT ('nabd-'::text || "left"(md5((gen_random_uuid())::text), 12)) NOT NULL
);
COMMENT ON COLUMN public.shard.batch IS 'number of the last committed batch; moving it is the fence';
COMMENT ON COLUMN public.shard.generation IS 'counts changes of the registry and of rules that ingest must see';
COMMENT ON COLUMN public.shard.caught_up_at IS 'since when the broker had nothing waiting for us; NULL while catching up';
COMMENT ON COLUMN public.shard.client_id IS 'MQTT client id; what the broker holds for ingest belongs to it';
CREATE TABLE public.sweep_pending (
    rule text NOT NULL,
    device_id integer NOT NULL,
    since timestamp with time zone NOT NULL,
    dismissed boolean DEFAULT false NOT NULL
);
COMMENT ON TABLE public.sweep_pending IS 'devices that a sweep rule suspects, before the time it gives them is over';
COMMENT ON COLUMN public.sweep_pending.dismissed IS 'looked into: the device never sent what is missing';
CREATE TABLE public.sweep_run (
    one boolean DEFAULT true NOT NULL,
    swept_at timestamp with time zone NOT NULL,
    CONSTRAINT sweep_run_one_check CHECK (one)
);
COMMENT ON TABLE public.sweep_run IS 'when sweep rules looked last; no row: never';
CREATE TABLE public.token (
    id integer NOT NULL,
    name text NOT NULL,
    hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone
);
COMMENT ON COLUMN public.token.hash IS 'SHA-256 of a random 256-bit token; the token itself is shown once';
ALTER TABLE public.token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.transition (
    id bigint DEFAULT nextval('public.alert_event_id'::regclass) NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    alert_id bigint NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    severity text NOT NULL,
    observed_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    detected_at timestamp with time zone NOT NULL,
    evidence jsonb NOT NULL,
    CONSTRAINT transition_from_state_check CHECK ((from_state = ANY (ARRAY['inactive'::text, 'pending'::text, 'firing'::text]))),
    CONSTRAINT transition_to_state_check CHECK ((to_state = ANY (ARRAY['firing'::text, 'resolved'::text])))
);
COMMENT ON TABLE public.transition IS 'changes of a condition, written with the reading that caused them; the outbox';
CREATE VIEW public.v_alert AS
 SELECT a.id AS alert_id,
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
   FROM ((public.alert a
     JOIN public.device d ON ((a.device_id = d.id)))
     JOIN public.municipality m ON ((d.municipality_id = m.id)));
CREATE VIEW public.v_bin AS
 SELECT r.device_id,
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
   FROM ((public.bin_reading r
     JOIN public.device d ON ((r.device_id = d.id)))
     JOIN public.municipality m ON ((d.municipality_id = m.id)));
CREATE VIEW public.v_device AS
 SELECT d.id AS device_id,
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
   FROM ((((public.device d
     JOIN public.municipality m ON ((d.municipality_id = m.id)))
     LEFT JOIN public.device p ON ((d.parent_id = p.id)))
     LEFT JOIN public.presence o ON ((d.id = o.device_id)))
     LEFT JOIN public.latest l ON ((d.id = l.device_id)));
CREATE VIEW public.v_drone AS
 SELECT r.device_id,
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
   FROM ((public.drone_reading r
     JOIN public.device d ON ((r.device_id = d.id)))
     JOIN public.municipality m ON ((d.municipality_id = m.id)));
CREATE VIEW public.v_ledger AS
 SELECT date_trunc('day'::text, received_at, 'UTC'::text) AS day,
    shard,
    source,
    count(*) AS batches,
    sum(messages) AS messages,
    sum(received) AS received,
    sum(stored) AS stored,
    sum(duplicate) AS duplicate,
    sum(rejected) AS rejected,
    sum(undated) AS undated
   FROM public.ledger
  GROUP BY (date_trunc('day'::text, received_at, 'UTC'::text)), shard, source;
CREATE VIEW public.v_light AS
 SELECT r.device_id,
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
   FROM ((public.light_reading r
     JOIN public.device d ON ((r.device_id = d.id)))
     JOIN public.municipality m ON ((d.municipality_id = m.id)));
ALTER TABLE ONLY public.bin_reading ATTACH PARTITION public.bin_reading_20260518 FOR VALUES FROM ('2026-05-18 00:00:00+00') TO ('2026-05-25 00:00:00+00');
ALTER TABLE ONLY public.bin_reading ATTACH PARTITION public.bin_reading_20260525 FOR VALUES FROM ('2026-05-25 00:00:00+00') TO ('2026-06-01 00:00:00+00');
ALTER TABLE ONLY public.bin_reading ATTACH PARTITION public.bin_reading_20260601 FOR VALUES FROM ('2026-06-01 00:00:00+00') TO ('2026-06-08 00:00:00+00');
ALTER TABLE ONLY public.bin_reading ATTACH PARTITION public.bin_reading_20260608 FOR VALUES FROM ('2026-06-08 00:00:00+00') TO ('2026-06-15 00:00:00+00');
ALTER TABLE ONLY public.bin_reading ATTACH PARTITION public.bin_reading_20260615 FOR VALUES FROM ('2026-06-15 00:00:00+00') TO ('2026-06-22 00:00:00+00');
ALTER TABLE ONLY public.bin_reading ATTACH PARTITION public.bin_reading_other DEFAULT;
ALTER TABLE ONLY public.drone_reading ATTACH PARTITION public.drone_reading_20260518 FOR VALUES FROM ('2026-05-18 00:00:00+00') TO ('2026-05-25 00:00:00+00');
ALTER TABLE ONLY public.drone_reading ATTACH PARTITION public.drone_reading_20260525 FOR VALUES FROM ('2026-05-25 00:00:00+00') TO ('2026-06-01 00:00:00+00');
ALTER TABLE ONLY public.drone_reading ATTACH PARTITION public.drone_reading_20260601 FOR VALUES FROM ('2026-06-01 00:00:00+00') TO ('2026-06-08 00:00:00+00');
ALTER TABLE ONLY public.drone_reading ATTACH PARTITION public.drone_reading_20260608 FOR VALUES FROM ('2026-06-08 00:00:00+00') TO ('2026-06-15 00:00:00+00');
ALTER TABLE ONLY public.drone_reading ATTACH PARTITION public.drone_reading_20260615 FOR VALUES FROM ('2026-06-15 00:00:00+00') TO ('2026-06-22 00:00:00+00');
ALTER TABLE ONLY public.drone_reading ATTACH PARTITION public.drone_reading_other DEFAULT;
ALTER TABLE ONLY public.light_reading ATTACH PARTITION public.light_reading_20260518 FOR VALUES FROM ('2026-05-18 00:00:00+00') TO ('2026-05-25 00:00:00+00');
ALTER TABLE ONLY public.light_reading ATTACH PARTITION public.light_reading_20260525 FOR VALUES FROM ('2026-05-25 00:00:00+00') TO ('2026-06-01 00:00:00+00');
ALTER TABLE ONLY public.light_reading ATTACH PARTITION public.light_reading_20260601 FOR VALUES FROM ('2026-06-01 00:00:00+00') TO ('2026-06-08 00:00:00+00');
ALTER TABLE ONLY public.light_reading ATTACH PARTITION public.light_reading_20260608 FOR VALUES FROM ('2026-06-08 00:00:00+00') TO ('2026-06-15 00:00:00+00');
ALTER TABLE ONLY public.light_reading ATTACH PARTITION public.light_reading_20260615 FOR VALUES FROM ('2026-06-15 00:00:00+00') TO ('2026-06-22 00:00:00+00');
ALTER TABLE ONLY public.light_reading ATTACH PARTITION public.light_reading_other DEFAULT;
ALTER TABLE ONLY public.alert_note
    ADD CONSTRAINT alert_note_pkey PRIMARY KEY (id);
ALTER TABLE public.alert_note
    ADD CONSTRAINT alert_note_type_check CHECK ((type = ANY (ARRAY['acknowledged'::text, 'comment'::text, 'inhibited'::text, 'surfaced'::text]))) NOT VALID;
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.bin_reading
    ADD CONSTRAINT bin_reading_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.bin_reading_20260518
    ADD CONSTRAINT bin_reading_20260518_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.bin_reading_20260525
    ADD CONSTRAINT bin_reading_20260525_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.bin_reading_20260601
    ADD CONSTRAINT bin_reading_20260601_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.bin_reading_20260608
    ADD CONSTRAINT bin_reading_20260608_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.bin_reading_20260615
    ADD CONSTRAINT bin_reading_20260615_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.bin_reading_other
    ADD CONSTRAINT bin_reading_other_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.clock_offset
    ADD CONSTRAINT clock_offset_pkey PRIMARY KEY (device_id, covers);
ALTER TABLE ONLY public.command
    ADD CONSTRAINT command_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_name_key UNIQUE (name);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.drone_reading
    ADD CONSTRAINT drone_reading_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.drone_reading_20260518
    ADD CONSTRAINT drone_reading_20260518_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.drone_reading_20260525
    ADD CONSTRAINT drone_reading_20260525_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.drone_reading_20260601
    ADD CONSTRAINT drone_reading_20260601_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.drone_reading_20260608
    ADD CONSTRAINT drone_reading_20260608_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.drone_reading_20260615
    ADD CONSTRAINT drone_reading_20260615_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.drone_reading_other
    ADD CONSTRAINT drone_reading_other_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.forecast
    ADD CONSTRAINT forecast_pkey PRIMARY KEY (rule, device_id);
ALTER TABLE ONLY public.latest
    ADD CONSTRAINT latest_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.ledger_device
    ADD CONSTRAINT ledger_device_pkey PRIMARY KEY (shard, batch, device, outcome);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (shard, batch);
ALTER TABLE ONLY public.ledger_total
    ADD CONSTRAINT ledger_total_pkey PRIMARY KEY (shard);
ALTER TABLE ONLY public.light_reading
    ADD CONSTRAINT light_reading_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.light_reading_20260518
    ADD CONSTRAINT light_reading_20260518_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.light_reading_20260525
    ADD CONSTRAINT light_reading_20260525_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.light_reading_20260601
    ADD CONSTRAINT light_reading_20260601_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.light_reading_20260608
    ADD CONSTRAINT light_reading_20260608_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.light_reading_20260615
    ADD CONSTRAINT light_reading_20260615_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.light_reading_other
    ADD CONSTRAINT light_reading_other_device_id_observed_at_key UNIQUE (device_id, observed_at);
ALTER TABLE ONLY public.maintenance_window
    ADD CONSTRAINT maintenance_window_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.municipality
    ADD CONSTRAINT municipality_name_key UNIQUE (name);
ALTER TABLE ONLY public.municipality
    ADD CONSTRAINT municipality_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.nabd_migration
    ADD CONSTRAINT nabd_migration_pkey PRIMARY KEY (number);
ALTER TABLE ONLY public.nabd_schema
    ADD CONSTRAINT nabd_schema_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.presence
    ADD CONSTRAINT presence_pkey PRIMARY KEY (device_id);
ALTER TABLE ONLY public.rejection
    ADD CONSTRAINT rejection_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rule_change
    ADD CONSTRAINT rule_change_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.rule_checkpoint
    ADD CONSTRAINT rule_checkpoint_pkey PRIMARY KEY (shard, kind);
ALTER TABLE ONLY public.rule
    ADD CONSTRAINT rule_pkey PRIMARY KEY (id, version);
ALTER TABLE ONLY public.rule_shadow
    ADD CONSTRAINT rule_shadow_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.shadow_transition
    ADD CONSTRAINT shadow_transition_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.shard
    ADD CONSTRAINT shard_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.sweep_pending
    ADD CONSTRAINT sweep_pending_pkey PRIMARY KEY (rule, device_id);
ALTER TABLE ONLY public.sweep_run
    ADD CONSTRAINT sweep_run_pkey PRIMARY KEY (one);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.transition
    ADD CONSTRAINT transition_pkey PRIMARY KEY (id);
CREATE INDEX alert_device ON public.alert USING btree (device_id, id);
CREATE INDEX alert_note_alert ON public.alert_note USING btree (alert_id, id);
CREATE INDEX alert_note_order ON public.alert_note USING btree (xid, id);
CREATE UNIQUE INDEX alert_one_open ON public.alert USING btree (rule, device_id) WHERE (state = 'firing'::text);
CREATE INDEX alert_open_device ON public.alert USING btree (device_id) WHERE (state = 'firing'::text);
CREATE INDEX alert_open_inhibited ON public.alert USING btree (inhibited_by) WHERE ((state = 'firing'::text) AND (inhibited_by IS NOT NULL));
CREATE INDEX command_device ON public.command USING btree (device_id, created_at);
CREATE INDEX device_municipality ON public.device USING btree (municipality_id, kind, name);
CREATE INDEX device_parent ON public.device USING btree (parent_id) WHERE (parent_id IS NOT NULL);
CREATE INDEX forecast_device ON public.forecast USING btree (device_id);
CREATE INDEX rejection_device ON public.rejection USING btree (device, id);
CREATE INDEX rejection_received ON public.rejection USING btree (received_at);
CREATE INDEX rejection_replay ON public.rejection USING btree (id) WHERE ((replay_requested_at IS NOT NULL) AND (replayed_at IS NULL));
CREATE INDEX rule_change_rule ON public.rule_change USING btree (rule, id);
CREATE UNIQUE INDEX rule_one_active ON public.rule USING btree (id) WHERE active;
CREATE UNIQUE INDEX rule_shadow_one ON public.rule_shadow USING btree (rule) WHERE (ended_at IS NULL);
CREATE INDEX shadow_transition_device ON public.shadow_transition USING btree (shadow_id, device_id, id);
CREATE INDEX transition_alert ON public.transition USING btree (alert_id, id);
CREATE INDEX transition_order ON public.transition USING btree (xid, id);
ALTER INDEX public.bin_reading_device_id_observed_at_key ATTACH PARTITION public.bin_reading_20260518_device_id_observed_at_key;
ALTER INDEX public.bin_reading_device_id_observed_at_key ATTACH PARTITION public.bin_reading_20260525_device_id_observed_at_key;
ALTER INDEX public.bin_reading_device_id_observed_at_key ATTACH PARTITION public.bin_reading_20260601_device_id_observed_at_key;
ALTER INDEX public.bin_reading_device_id_observed_at_key ATTACH PARTITION public.bin_reading_20260608_device_id_observed_at_key;
ALTER INDEX public.bin_reading_device_id_observed_at_key ATTACH PARTITION public.bin_reading_20260615_device_id_observed_at_key;
ALTER INDEX public.bin_reading_device_id_observed_at_key ATTACH PARTITION public.bin_reading_other_device_id_observed_at_key;
ALTER INDEX public.drone_reading_device_id_observed_at_key ATTACH PARTITION public.drone_reading_20260518_device_id_observed_at_key;
ALTER INDEX public.drone_reading_device_id_observed_at_key ATTACH PARTITION public.drone_reading_20260525_device_id_observed_at_key;
ALTER INDEX public.drone_reading_device_id_observed_at_key ATTACH PARTITION public.drone_reading_20260601_device_id_observed_at_key;
ALTER INDEX public.drone_reading_device_id_observed_at_key ATTACH PARTITION public.drone_reading_20260608_device_id_observed_at_key;
ALTER INDEX public.drone_reading_device_id_observed_at_key ATTACH PARTITION public.drone_reading_20260615_device_id_observed_at_key;
ALTER INDEX public.drone_reading_device_id_observed_at_key ATTACH PARTITION public.drone_reading_other_device_id_observed_at_key;
ALTER INDEX public.light_reading_device_id_observed_at_key ATTACH PARTITION public.light_reading_20260518_device_id_observed_at_key;
ALTER INDEX public.light_reading_device_id_observed_at_key ATTACH PARTITION public.light_reading_20260525_device_id_observed_at_key;
ALTER INDEX public.light_reading_device_id_observed_at_key ATTACH PARTITION public.light_reading_20260601_device_id_observed_at_key;
ALTER INDEX public.light_reading_device_id_observed_at_key ATTACH PARTITION public.light_reading_20260608_device_id_observed_at_key;
ALTER INDEX public.light_reading_device_id_observed_at_key ATTACH PARTITION public.light_reading_20260615_device_id_observed_at_key;
ALTER INDEX public.light_reading_device_id_observed_at_key ATTACH PARTITION public.light_reading_other_device_id_observed_at_key;
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_inhibited_by FOREIGN KEY (inhibited_by) REFERENCES public.alert(id) NOT VALID;
ALTER TABLE ONLY public.alert_note
    ADD CONSTRAINT alert_note_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alert(id);
ALTER TABLE ONLY public.alert
    ADD CONSTRAINT alert_rule_rule_version_fkey FOREIGN KEY (rule, rule_version) REFERENCES public.rule(id, version);
ALTER TABLE ONLY public.clock_offset
    ADD CONSTRAINT clock_offset_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.command
    ADD CONSTRAINT command_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_municipality_id_fkey FOREIGN KEY (municipality_id) REFERENCES public.municipality(id);
ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.forecast
    ADD CONSTRAINT forecast_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.latest
    ADD CONSTRAINT latest_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.ledger_device
    ADD CONSTRAINT ledger_device_shard_batch_fkey FOREIGN KEY (shard, batch) REFERENCES public.ledger(shard, batch);
ALTER TABLE ONLY public.ledger
    ADD CONSTRAINT ledger_shard_fkey FOREIGN KEY (shard) REFERENCES public.shard(name);
ALTER TABLE ONLY public.ledger_total
    ADD CONSTRAINT ledger_total_shard_fkey FOREIGN KEY (shard) REFERENCES public.shard(name);
ALTER TABLE ONLY public.maintenance_window
    ADD CONSTRAINT maintenance_window_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.maintenance_window
    ADD CONSTRAINT maintenance_window_municipality_id_fkey FOREIGN KEY (municipality_id) REFERENCES public.municipality(id);
ALTER TABLE ONLY public.presence
    ADD CONSTRAINT presence_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.rule_checkpoint
    ADD CONSTRAINT rule_checkpoint_shard_fkey FOREIGN KEY (shard) REFERENCES public.shard(name);
ALTER TABLE ONLY public.shadow_transition
    ADD CONSTRAINT shadow_transition_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.shadow_transition
    ADD CONSTRAINT shadow_transition_shadow_id_fkey FOREIGN KEY (shadow_id) REFERENCES public.rule_shadow(id);
ALTER TABLE ONLY public.sweep_pending
    ADD CONSTRAINT sweep_pending_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);
ALTER TABLE ONLY public.transition
    ADD CONSTRAINT transition_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES public.alert(id);
INSERT INTO public.nabd_schema (edition) VALUES ('plain');
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
