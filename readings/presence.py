"""What the broker says of a device's connection: online or offline. Never an alert by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from devices.instants import to_datetime

if TYPE_CHECKING:
    from store.connection import Connection

_RECORD = """
INSERT INTO presence (device_id, online, changed_at)
SELECT p.device_id, p.online, p.changed_at
FROM unnest($1::integer [], $2::boolean [], $3::timestamptz []) AS p (device_id, online, changed_at)
ON CONFLICT (device_id) DO UPDATE SET online = excluded.online, changed_at = excluded.changed_at
WHERE presence.online <> excluded.online
"""


async def record(connection: Connection, presences: Mapping[int, tuple[bool, int]]) -> None:
    """Store, by device id, whether each is online and since when (microseconds); unchanged ones stay."""
    if presences:
        await connection.execute(
            _RECORD,
            list(presences),
            [online for online, _ in presences.values()],
            [to_datetime(at) for _, at in presences.values()],
        )
