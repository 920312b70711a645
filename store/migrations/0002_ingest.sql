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
