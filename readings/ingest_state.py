"""The state of ingest as it writes it to the database: when alive, when caught up, what it committed last."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestState:
    """One shard. None: never yet; `caught_up_at` None: the broker holds messages that ingest has not read.

    `takeovers`: how often another client took the session at the broker from ingest. `compiled`: whether it
    decodes with compiled code. `oldest_observed_at` belongs to the last batch that came from the broker, like
    `received_at`.
    """

    shard: str
    alive_at: datetime | None
    caught_up_at: datetime | None
    received_at: datetime | None
    oldest_observed_at: datetime | None
    takeovers: int
    compiled: bool | None


# A replay's batch keeps older receive times, so that some batches are skipped, but only so many.
_STATES = """
SELECT
    s.name AS shard, s.alive_at, s.caught_up_at, newest.received_at, newest.oldest_observed_at, s.takeovers,
    s.compiled
FROM shard AS s
LEFT JOIN LATERAL (
    SELECT l.received_at, l.oldest_observed_at
    FROM (
        SELECT b.batch, b.source, b.received_at, b.oldest_observed_at
        FROM ledger AS b
        WHERE b.shard = s.name
        ORDER BY b.batch DESC
        LIMIT 1000
    ) AS l
    WHERE l.source = 'mqtt'
    ORDER BY l.batch DESC
    LIMIT 1
) AS newest ON true
ORDER BY s.name
"""


async def by_shard(connection: Connection) -> list[IngestState]:
    """Return the state of every shard, by name."""
    return [IngestState(**row) for row in await connection.fetch(_STATES)]
