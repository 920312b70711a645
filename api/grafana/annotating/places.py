"""Up to which event the organisations of a server have the annotations of alerts."""

from __future__ import annotations

from datetime import datetime

from alerts.events import Cursor
from alerts.restored import READ
from store.connection import Connection

# In the order of events, not of time: what a longer transaction wrote meanwhile is found by its alert's end.
_BEGIN = """
INSERT INTO annotation_place (server, organisation, xid, event_id)
SELECT $1, $2, coalesce(before.xid, '0'), coalesce(before.id, 0)
FROM (VALUES (true)) AS always
LEFT JOIN (
    SELECT xid, id FROM transition
    WHERE detected_at < $3 AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid DESC, id DESC LIMIT 1
) AS before ON true
ON CONFLICT DO NOTHING
"""
_PLACE = """
SELECT CASE WHEN xid < pg_snapshot_xmax(pg_current_snapshot()) THEN xid ELSE $3::xid8 END AS xid, event_id
FROM annotation_place
WHERE server = $1 AND organisation = $2
"""


async def place(connection: Connection, server: str, organisation: str, since: datetime) -> Cursor:
    """Return after which event an organisation goes on; one that is new begins with what came after `since`.

    In a database that was restored into another cluster it goes on as alerts.restored numbers its events.
    """
    await connection.execute(_BEGIN, server, organisation, since)
    row = await connection.fetchrow(_PLACE, server, organisation, READ)
    assert row is not None
    return row["xid"], row["event_id"]


_MOVE = "UPDATE annotation_place SET xid = $3::xid8, event_id = $4 WHERE server = $1 AND organisation = $2"


async def move(connection: Connection, server: str, organisation: str, cursor: Cursor) -> None:
    """Write that everything up to an event is there."""
    await connection.execute(_MOVE, server, organisation, *cursor)
