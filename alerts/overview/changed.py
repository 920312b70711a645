"""Which installed devices changed since an instant: by a reading, in the registry, by an alert.

Reads only. An instant is no order: who reads on reads what was known shortly before again (`OVERLAP`). Must
not know who asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.events import Cursor
from store.connection import Connection

OVERLAP = timedelta(seconds=30)
"""By how much changes may be committed out of the order of their instants."""
ALERTS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDevice:
    """A device: when its newest reading was received (None: none was), and when the registry last changed."""

    name: str
    kind: str
    municipality: str
    heard_at: datetime | None
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedAlert:
    """An alert of a device opened or ended; at: when we knew."""

    cursor: Cursor
    name: str
    kind: str
    municipality: str
    at: datetime


_DEVICES = """
SELECT
    d.name, d.kind, m.name AS municipality, l.received_at AS heard_at, d.updated_at AS registered_at
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN latest AS l ON d.id = l.device_id
WHERE
    d.retired_at IS NULL AND d.installed_at IS NOT NULL
    AND (l.received_at > $1 OR d.updated_at > $1)
ORDER BY greatest(l.received_at, d.updated_at), d.name
"""


async def devices_since(connection: Connection, since: datetime) -> list[ChangedDevice]:
    """Return the devices that were heard or changed after an instant, in the order of that."""
    return [ChangedDevice(**row) for row in await connection.fetch(_DEVICES, since)]


# Back from the newest: as many rows as there were since.
_CURSOR = """
SELECT xid, id FROM transition
WHERE xid < pg_snapshot_xmin(pg_current_snapshot()) AND detected_at <= $1
ORDER BY xid DESC, id DESC
LIMIT 1
"""
_ALERTS = """
SELECT
    t.xid, t.id, d.name, d.kind, m.name AS municipality, t.detected_at AS at
FROM transition AS t
INNER JOIN alert AS a ON t.alert_id = a.id
INNER JOIN device AS d ON a.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE
    (t.xid, t.id) > ($1::xid8, $2::bigint) AND t.xid < pg_snapshot_xmin(pg_current_snapshot())
    AND (t.from_state <> 'firing' OR t.to_state = 'resolved')
ORDER BY t.xid, t.id
LIMIT $3
"""


async def cursor_at(connection: Connection, since: datetime) -> Cursor:
    """Return after which position alerts are that opened or ended after an instant."""
    row = await connection.fetchrow(_CURSOR, since)
    return (row["xid"], row["id"]) if row else (0, 0)


async def alerts_after(connection: Connection, cursor: Cursor) -> list[ChangedAlert]:
    """Return settled changes of alerts after a position in order, ALERTS_AT_ONCE at most."""
    rows = await connection.fetch(_ALERTS, *cursor, ALERTS_AT_ONCE)
    return [
        ChangedAlert(
            cursor=(row["xid"], row["id"]),
            name=row["name"],
            kind=row["kind"],
            municipality=row["municipality"],
            at=row["at"],
        )
        for row in rows
    ]
