"""How what was entered ends: with its reading, or before where none was stored: refused, or never sent again.

Must not know for how long anything is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from readings.kept.retention import Retention
from readings.tables import table_name
from store.connection import Connection
from store.tables import Resolution

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
    AND r.extra ->> 'hand_reading' = h.id::text
"""
# One that is sent again at this moment has a later time.
_FORGET = "DELETE FROM hand_reading WHERE id = ANY($1) AND stored_at IS NULL AND entered_at < $2"


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
            await connection.execute(_FORGET, ids, before)
        return sum(len(ids) for _, ids in due)


NEVER_STORED = UnsentReadings()

_KINDS = "SELECT DISTINCT device.kind FROM hand_reading AS h INNER JOIN device ON h.device_id = device.id"
_OLDEST_STORED = "SELECT min(observed_at) FROM hand_reading WHERE stored_at IS NOT NULL"
_FORGET_STORED = """
WITH gone AS (
    DELETE FROM hand_reading
    WHERE id = ANY(ARRAY(
        SELECT h.id
        FROM hand_reading AS h
        INNER JOIN device ON h.device_id = device.id
        INNER JOIN unnest($1::text[], $2::timestamptz[]) AS kept (kind, since) ON device.kind = kept.kind
        WHERE h.stored_at IS NOT NULL AND h.observed_at < kept.since
        LIMIT $3
    ))
    RETURNING id
)

SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHandReadings:
    """Rows of people's readings that are stored; each is kept as long as the readings of its kind."""

    kept: Retention
    tables: tuple[str, ...] = ("hand_reading",)

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return of when the oldest is."""
        found: datetime | None = await connection.fetchval(_OLDEST_STORED)
        return found

    async def forget_before(
        self, connection: Connection, before: datetime, *, limit: int, now: datetime
    ) -> int:
        """Remove up to `limit` that are older than readings of their kind are kept. Return how many."""
        kinds = [kind for (kind,) in await connection.fetch(_KINDS)]
        since = [now - self.kept.of(kind, Resolution.READING) for kind in kinds]
        gone: int = await connection.fetchval(_FORGET_STORED, kinds, since, limit)
        return gone
