"""The newest readings received since an instant, for live screens, once a second at most.

Reads only; `readings.latest` writes the table. Must not know who asks.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from readings.latest import Latest

if TYPE_CHECKING:
    from store.connection import Connection

_SINCE = """
SELECT
    d.name AS device, d.kind, m.name AS municipality, g.name AS district,
    l.observed_at, l.received_at, l.interval_s, l.quality, l.measurements
FROM latest AS l
INNER JOIN device AS d ON l.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
WHERE (l.received_at, d.name) > ($1, $2) AND d.retired_at IS NULL
ORDER BY l.received_at, d.name
LIMIT $3
"""


async def latest_since(connection: Connection, after: tuple[datetime, str], limit: int) -> list[Latest]:
    """Return newest readings received after an instant, oldest received first.

    `after` is the receive time and device of the last one of the page before: one message can bring the
    newest readings of many devices, all received at once.
    """
    return [Latest(**row) for row in await connection.fetch(_SINCE, *after, limit)]


_NEWEST = """
SELECT max(received_at) FROM latest
"""


async def newest_received_at(connection: Connection) -> datetime | None:
    """Return when the newest reading of all was received, None before the first."""
    newest: datetime | None = await connection.fetchval(_NEWEST)
    return newest
