"""How what was entered and never stored ends: it was refused, or nobody sent it again.

What is stored stays for good: it says who. Must not know for how long anything is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from readings.tables import table_name
from store.connection import Connection

_OLDEST = "SELECT min(entered_at) FROM hand_reading WHERE stored_at IS NULL"
_DUE = """
SELECT device.kind, array_agg(due.id) AS ids
FROM (
    SELECT id, device_id FROM hand_reading
    WHERE stored_at IS NULL AND entered_at < $1
    ORDER BY entered_at
    LIMIT $2
) AS due
INNER JOIN device ON due.device_id = device.id
GROUP BY device.kind
"""
# The API died between the reading and the word that it is stored.
_STORED = """
UPDATE hand_reading AS h SET stored_at = r.received_at
FROM {table} AS r
WHERE
    h.id = ANY($1) AND h.device_id = r.device_id AND h.observed_at = r.observed_at
    AND r.extra ->> 'by_hand' = h.id::text
"""
_FORGET = "DELETE FROM hand_reading WHERE id = ANY($1) AND stored_at IS NULL"


@dataclass(frozen=True, slots=True)
class UnsentReadings:
    """Rows of people's readings of which none is stored; those of which one is are marked so meanwhile."""

    tables: tuple[str, ...] = ("hand_reading",)

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return when the oldest was entered."""
        found: datetime | None = await connection.fetchval(_OLDEST)
        return found

    async def forget_before(
        self, connection: Connection, before: datetime, *, limit: int, now: datetime
    ) -> int:
        """Settle up to `limit` that are older: each is marked as stored, or goes. Return how many."""
        due = await connection.fetch(_DUE, before, limit)
        for kind, ids in due:
            await connection.execute(_STORED.format(table=table_name(kind)), ids)
            await connection.execute(_FORGET, ids)
        return sum(len(ids) for _, ids in due)


NEVER_STORED = UnsentReadings()
