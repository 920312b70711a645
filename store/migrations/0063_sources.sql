-- Where readings of foreign devices come from: other brokers, network servers, webhooks; and how it goes with each.

CREATE TABLE source (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,31}$'),
    municipality_id integer NOT NULL REFERENCES municipality (id),
    gateway_id integer NOT NULL REFERENCES device (id),
    way text NOT NULL CHECK (way IN ('mqtt', 'webhook')),
    format text NOT NULL,
    profile text NOT NULL DEFAULT '',
    profiles jsonb NOT NULL DEFAULT '{}',
    url text NOT NULL DEFAULT '',
    topics text [] NOT NULL DEFAULT '{}',
    protocol text NOT NULL DEFAULT '5' CHECK (protocol IN ('5', '3.1.1')),
    username text NOT NULL DEFAULT '',
    authority text NOT NULL DEFAULT '',
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX source_gateway ON source (gateway_id);
COMMENT ON TABLE source IS 'what speaks for foreign devices: a broker, a network server or a webhook';
COMMENT ON COLUMN source.gateway_id IS 'as whom its readings are relayed; its devices have it among their relays';
COMMENT ON COLUMN source.profile IS 'what reads devices that say no model; empty: none does';
COMMENT ON COLUMN source.profiles IS 'profiles by the model that the source names';
COMMENT ON COLUMN source.url IS 'mqtt:// or mqtts://, without account; empty: the platform''s own broker, or a webhook';
COMMENT ON COLUMN source.authority IS 'PEM of the authority that signed the broker''s certificate; empty: a public one';

CREATE TABLE source_secret (
    source_id integer PRIMARY KEY REFERENCES source (id) ON DELETE CASCADE,
    secret text NOT NULL CHECK (length(secret) BETWEEN 1 AND 4096)
);
COMMENT ON TABLE source_secret IS 'password at the broker, or what webhooks are signed with; told to nobody';

CREATE TABLE source_state (
    source_id integer PRIMARY KEY REFERENCES source (id) ON DELETE CASCADE,
    connected boolean NOT NULL,
    reason text NOT NULL DEFAULT '',
    since timestamptz NOT NULL,
    alive_at timestamptz NOT NULL,
    last_message_at timestamptz,
    messages bigint NOT NULL DEFAULT 0,
    readings bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    copies bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE source_state IS 'how it goes with each source, as the process that hears it last said';
COMMENT ON COLUMN source_state.since IS 'since when it is connected, or is not';
COMMENT ON COLUMN source_state.readings IS 'settled, repeats among them; rejected ones are counted apart';
COMMENT ON COLUMN source_state.copies IS 'frames that were heard before, by counter and content';

CREATE TABLE source_frame (
    source_id integer NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    device text NOT NULL,
    counter bigint NOT NULL,
    digest bytea NOT NULL,
    observed_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, device, counter, digest)
);
CREATE INDEX source_frame_heard ON source_frame (heard_at);
COMMENT ON TABLE source_frame IS 'frames heard of late: a copy that comes later is the same reading, at the same instant';
