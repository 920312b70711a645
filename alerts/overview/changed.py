"""Which installed devices changed since an instant: by a reading, in the registry, by an alert.

Reads only. An instant is no order: who reads on reads what was known shortly before again (`OVERLAP`). Must
not know who asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts.events import Cursor
from store.connection import Connection

OVERLAP = timedelta(seconds=30)
"""By how much changes may be committed out of the order of their instants."""
SHORT_OVERLAP = timedelta(seconds=2)
"""By how much nearly all are: who reads often reads this much again, and all of it now and then."""
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


# `latest` is read as a whole: an index on what each reading changes would cost ingest more than this.
_DEVICES = """
SELECT
    d.name, d.kind, m.name AS municipality, l.received_at AS heard_at, d.updated_at AS registered_at
FROM latest AS l
INNER JOIN device AS d ON l.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE l.received_at > $1 AND d.retired_at IS NULL AND d.installed_at IS NOT NULL
UNION ALL
SELECT d.name, d.kind, m.name, NULL, d.updated_at
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE d.updated_at > $1 AND d.retired_at IS NULL AND d.installed_at IS NOT NULL
ORDER BY 4, 5, 1
"""


async def devices_since(connection: Connection, since: datetime) -> Iterator[ChangedDevice]:
    """Return the devices that changed after an instant: by readings in their order, then in the registry.

    They are made as they are taken: of many, take them in a thread.
    """
    rows = await connection.fetch(_DEVICES, since)
    return (ChangedDevice(**row) for row in rows)


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
