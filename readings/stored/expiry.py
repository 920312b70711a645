"""How rejections and the ledger end. What was counted stays: the ledger's days survive its batches.

Must not know for how long anything is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.connection import Connection
from store.expiry import ExpiringRows

# What is to be received again stays until it has been. The keys are an array, so that the deletion goes by
# the primary key whatever the planner thinks of LIMIT.
REJECTIONS = ExpiringRows(
    tables=("rejection",),
    first="""
SELECT received_at FROM rejection
WHERE replay_requested_at IS NULL OR replayed_at IS NOT NULL
ORDER BY received_at
LIMIT 1
""",
    forget="""
WITH gone AS (
    DELETE FROM rejection
    WHERE id = ANY(ARRAY(
        SELECT id FROM rejection
        WHERE received_at < $1 AND (replay_requested_at IS NULL OR replayed_at IS NOT NULL)
        ORDER BY received_at
        LIMIT $2
    ))
    RETURNING id
)

SELECT count(*) FROM gone
""",
)


_OLDEST = """
SELECT min(first.received_at)
FROM shard AS s
CROSS JOIN LATERAL (
    SELECT l.received_at FROM ledger AS l WHERE l.shard = s.name ORDER BY l.batch LIMIT 1
) AS first
"""

# Numbers grow with time. Only what is in the stored sums goes: table ledger_total begins behind it.
_DUE = """
SELECT t.shard, due.batch
FROM ledger_total AS t
CROSS JOIN LATERAL (
    SELECT max(first.batch) FILTER (WHERE first.received_at < $1) AS batch
    FROM (
        SELECT l.batch, l.received_at FROM ledger AS l
        WHERE l.shard = t.shard AND l.batch <= t.batch
        ORDER BY l.batch
        LIMIT $2
    ) AS first
) AS due
WHERE due.batch IS NOT NULL
ORDER BY t.shard
"""

# The bounds are parameters and the batches an array, so that both tables are read by their keys.
_FORGET = """
WITH gone AS (
    DELETE FROM ledger AS l
    WHERE l.shard = $1 AND l.batch <= $2 AND l.received_at < $3
    RETURNING l.batch, date_trunc('day', l.received_at, 'UTC') AS began_at, l.source, l.messages, l.received,
        l.stored, l.merged, l.duplicate, l.rejected, l.undated, l.empty
),

outcomes AS (
    DELETE FROM ledger_device AS o
    WHERE o.shard = $1 AND o.batch = ANY(ARRAY(SELECT batch FROM gone))
    RETURNING o.batch, o.outcome, o.readings
),

days AS (
    INSERT INTO ledger_day AS d (
        shard, began_at, source, batches, messages, received, stored, merged, duplicate, rejected,
        undated, empty
    )
    SELECT $1, began_at, source, count(*), sum(messages), sum(received), sum(stored), sum(merged),
        sum(duplicate), sum(rejected), sum(undated), sum(empty)
    FROM gone
    GROUP BY began_at, source
    ON CONFLICT (shard, began_at, source) DO UPDATE SET
        batches = d.batches + excluded.batches, messages = d.messages + excluded.messages,
        received = d.received + excluded.received, stored = d.stored + excluded.stored,
        merged = d.merged + excluded.merged, duplicate = d.duplicate + excluded.duplicate,
        rejected = d.rejected + excluded.rejected,
        undated = d.undated + excluded.undated, empty = d.empty + excluded.empty
),

counted AS (
    INSERT INTO ledger_day_outcome AS d (shard, began_at, source, outcome, readings)
    SELECT $1, gone.began_at, gone.source, o.outcome, sum(o.readings)
    FROM outcomes AS o
    INNER JOIN gone ON o.batch = gone.batch
    WHERE o.outcome NOT IN ('duplicate', 'merged')
    GROUP BY gone.began_at, gone.source, o.outcome
    ON CONFLICT (shard, began_at, source, outcome) DO UPDATE SET readings = d.readings + excluded.readings
)

SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class ExpiringLedger:
    """The batches of the ledger; when they go their sums become those of their day, in the same statement."""

    tables: tuple[str, ...] = ("ledger", "ledger_device")

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return when the oldest batch was received."""
        found: datetime | None = await connection.fetchval(_OLDEST)
        return found

    async def forget_before(
        self,
        connection: Connection,
        before: datetime,
        *,
        limit: int,
        now: datetime,
    ) -> int:
        """Turn batches received on days before that of `before` into sums of their days; return how many."""
        midnight = before.replace(hour=0, minute=0, second=0, microsecond=0)
        gone = 0
        for due in await connection.fetch(_DUE, midnight, limit):
            gone += await connection.fetchval(_FORGET, due["shard"], due["batch"], midnight)
        return gone


LEDGER = ExpiringLedger()
