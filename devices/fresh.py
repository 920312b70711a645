"""The newest readings that came in since an instant: what live screens are told, once a second at most.

Reads only; `devices.latest` keeps the table. Must not know who listens.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from devices.latest import Latest

if TYPE_CHECKING:
    from store.connection import Connection

_SINCE = """
SELECT
    d.name AS device, d.kind, m.name AS municipality,
    l.observed_at, l.received_at, l.interval_s, l.quality, l.measurements
FROM latest AS l
INNER JOIN device AS d ON l.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE l.received_at > $1 AND d.retired_at IS NULL
ORDER BY l.received_at
LIMIT $2
"""


async def latest_since(connection: Connection, received_after: datetime, limit: int) -> list[Latest]:
    """Return newest readings received after an instant, oldest received first."""
    return [Latest(**row) for row in await connection.fetch(_SINCE, received_after, limit)]


_NEWEST = """
SELECT max(received_at) FROM latest
"""


async def newest_received_at(connection: Connection) -> datetime | None:
    """Return when the newest reading of all was received, None before the first."""
    newest: datetime | None = await connection.fetchval(_NEWEST)
    return newest
