"""As whom readings are relayed that devices post themselves. Must not know HTTP."""

from __future__ import annotations

from devices.sources.source import NATIVE, Way
from devices.wire.topics import GATEWAY, Channel, Topic
from store.connection import Connection

_GATEWAY = """
SELECT municipality.name, coalesce(hardware.wire_name, gateway.name)
FROM relay
INNER JOIN source AS s ON relay.gateway_id = s.gateway_id
INNER JOIN device AS gateway ON s.gateway_id = gateway.id AND gateway.retired_at IS NULL
INNER JOIN municipality ON gateway.municipality_id = municipality.id
LEFT JOIN hardware ON gateway.id = hardware.device_id AND hardware.removed_at IS NULL
WHERE relay.device_id = $1 AND s.way = $2 AND s.format = $3 AND s.enabled
ORDER BY s.id
LIMIT 1
"""


async def gateway_for(connection: Connection, device: int) -> Topic | None:
    """Return the gateway among a device's relays that is a webhook of our own format; None: there is none."""
    row = await connection.fetchrow(_GATEWAY, device, str(Way.WEBHOOK), NATIVE)
    return None if row is None else Topic(row[0], GATEWAY, row[1], Channel.TELEMETRY)
