"""Devices that have raised an alert since some instant. Must not know why anybody asks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from store.connection import Connection

_RAISED = """
SELECT DISTINCT a.device_id
FROM unnest($1::integer[], $2::timestamptz[]) AS w (device_id, since)
INNER JOIN alert AS a ON a.device_id = w.device_id AND a.detected_at > w.since
WHERE a.rule <> ALL($3)
"""


async def raised_since(
    connection: Connection, since: Mapping[int, datetime], *, but: tuple[str, ...] = ()
) -> set[int]:
    """Return those devices, by number, of which an alert has become known since the instant beside each.

    Args:
        but: rules whose alerts do not count.
    """
    rows = await connection.fetch(_RAISED, list(since), list(since.values()), list(but))
    return {row["device_id"] for row in rows}
