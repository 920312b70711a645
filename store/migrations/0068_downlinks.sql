-- Commands to devices that a network server speaks for: what they are as bytes, and where the server takes them.

ALTER TABLE command
    ADD COLUMN port smallint,
    ADD COLUMN payload bytea,
    ADD COLUMN confirmed boolean;
COMMENT ON COLUMN command.payload IS 'what the device is to hear by its network server; null: it listens at our broker';
COMMENT ON COLUMN command.port IS 'of LoRaWAN, on which the device hears the payload';
COMMENT ON COLUMN command.confirmed IS 'whether the device is asked to acknowledge it';

CREATE TABLE downlink_topic (
    device_id integer PRIMARY KEY REFERENCES device (id),
    source_id integer NOT NULL REFERENCES source (id) ON DELETE CASCADE,
    topic text NOT NULL,
    json boolean NOT NULL
);
CREATE INDEX downlink_topic_source ON downlink_topic (source_id);
COMMENT ON TABLE downlink_topic IS 'where a device is told something: at the source that heard it last';
COMMENT ON COLUMN downlink_topic.topic IS 'of the device there, before what says which message it is';
COMMENT ON COLUMN downlink_topic.json IS 'whether the source speaks JSON; else Protocol Buffers';

-- What becomes of downlinks is heard from now on.
UPDATE source SET topics = ARRAY[
    'v3/+/devices/+/up', 'v3/+/devices/+/join', 'v3/+/devices/+/down/queued', 'v3/+/devices/+/down/sent',
    'v3/+/devices/+/down/ack', 'v3/+/devices/+/down/nack', 'v3/+/devices/+/down/failed',
    'v3/+/devices/+/down/invalidated'
]
WHERE format = 'things_stack' AND topics = ARRAY['v3/+/devices/+/up'];
