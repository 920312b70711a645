-- Who relays a device, apart from what feeds it: a device may stand behind several gateways, and on one circuit.

CREATE TABLE relay (
    device_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    gateway_id integer NOT NULL REFERENCES device (id) ON DELETE CASCADE,
    PRIMARY KEY (device_id, gateway_id),
    CHECK (device_id <> gateway_id)
);
CREATE INDEX relay_gateway ON relay (gateway_id);
COMMENT ON TABLE relay IS 'which gateways pass on what a device sends';
COMMENT ON COLUMN device.parent_id IS 'what feeds it: a circuit or a cabinet';

INSERT INTO relay (device_id, gateway_id)
SELECT device.id, gateway.id
FROM device
INNER JOIN device AS gateway ON device.parent_id = gateway.id
WHERE gateway.kind = 'gateway' AND device.id <> gateway.id;

UPDATE device SET parent_id = NULL
FROM device AS gateway
WHERE device.parent_id = gateway.id AND gateway.kind = 'gateway';

CREATE VIEW hangs_on AS
SELECT device.id AS device_id, device.parent_id, true AS alone
FROM device
WHERE device.parent_id IS NOT NULL
UNION ALL
SELECT relay.device_id, relay.gateway_id, NOT EXISTS (
    SELECT FROM relay AS more
    INNER JOIN device AS gateway ON more.gateway_id = gateway.id
    WHERE more.device_id = relay.device_id AND more.gateway_id <> relay.gateway_id
        AND gateway.installed_at IS NOT NULL AND gateway.retired_at IS NULL
)
FROM relay;
COMMENT ON VIEW hangs_on IS 'what feeds or relays a device; alone: no other gateway in use could relay it';

CREATE FUNCTION cut_off(device_id integer, rules text []) RETURNS boolean
LANGUAGE sql STABLE
RETURN NOT EXISTS (
    SELECT FROM relay
    INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
    WHERE relay.device_id = cut_off.device_id
        AND gateway.installed_at IS NOT NULL AND gateway.retired_at IS NULL
        AND NOT EXISTS (
            SELECT FROM alert
            WHERE alert.device_id = gateway.id AND alert.state = 'firing' AND alert.rule = ANY(cut_off.rules)
        )
);
COMMENT ON FUNCTION cut_off IS 'whether each gateway in use of a device has an open alert of one of some rules';
