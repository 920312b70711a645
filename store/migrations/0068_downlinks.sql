-- Commands to devices that a network server speaks for: what they are as bytes, and where the server takes them.

ALTER TABLE command
    ADD COLUMN port smallint,
    ADD COLUMN payload bytea,
    ADD COLUMN confirmed boolean,
    ADD COLUMN source_id integer;
COMMENT ON COLUMN command.payload IS 'what the device is to hear by its network server; null: it listens at our broker';
COMMENT ON COLUMN command.port IS 'of LoRaWAN, on which the device hears the payload';
COMMENT ON COLUMN command.confirmed IS 'whether the device is asked to acknowledge it';
COMMENT ON COLUMN command.source_id IS 'which source took it last, which may be gone: while it is sent, no other one takes it';

-- squawk-ignore ban-drop-not-null
ALTER TABLE command_request ALTER COLUMN expires_after_s DROP NOT NULL;
COMMENT ON COLUMN command_request.expires_after_s IS 'null: as long as a command to one device of theirs';

CREATE TABLE downlink_topic (
    device_id integer PRIMARY KEY REFERENCES device (id),
    source_id integer NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    wire_name text NOT NULL,
    topic text NOT NULL,
    json boolean NOT NULL
);
CREATE INDEX downlink_topic_source ON downlink_topic (source_id);
COMMENT ON TABLE downlink_topic IS 'where a device is told something: at the source that heard it last';
COMMENT ON COLUMN downlink_topic.wire_name IS 'of the hardware that was heard: what replaces it is not told anything there';
COMMENT ON COLUMN downlink_topic.topic IS 'of the device there, before what says which message it is';
COMMENT ON COLUMN downlink_topic.json IS 'whether the source speaks JSON; else Protocol Buffers';

CREATE VIEW downlink_way AS
SELECT d.id AS device_id, known.source_id, known.topic, known.json
FROM downlink_topic AS known
INNER JOIN device AS d ON known.device_id = d.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
INNER JOIN source ON known.source_id = source.id
INNER JOIN relay ON source.gateway_id = relay.gateway_id AND d.id = relay.device_id
WHERE
    d.retired_at IS NULL AND coalesce(h.wire_name, d.name) = known.wire_name
    AND source.enabled AND source.way = 'mqtt' AND source.url <> '';
COMMENT ON VIEW downlink_way IS 'which devices can be told something now, where, and by which source';

-- What becomes of downlinks is heard from now on.
UPDATE source SET topics = ARRAY[
    'v3/+/devices/+/up', 'v3/+/devices/+/join', 'v3/+/devices/+/down/queued', 'v3/+/devices/+/down/sent',
    'v3/+/devices/+/down/ack', 'v3/+/devices/+/down/nack', 'v3/+/devices/+/down/failed',
    'v3/+/devices/+/down/invalidated'
]
WHERE format = 'things_stack' AND topics = ARRAY['v3/+/devices/+/up'];
