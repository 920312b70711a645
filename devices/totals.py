"""Sums of the ledger for every shard, at a cost that does not grow with its age.

What lies behind is added up now and then and kept in table ledger_total; what came since is a short
range of the ledger's key. Readings are never counted here: devices.ledger does that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from store.connection import Connection

PIECE = 20_000
"""Batches added up in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardTotals:
    """What became of everything a shard has received. `reasons` counts rejected readings."""

    shard: str
    messages: int
    stored: int
    duplicate: int
    undated: int
    reasons: Mapping[str, int] = field(default_factory=dict)


_TOTALS = """
SELECT
    s.name AS shard, coalesce(t.reasons, '{}') AS reasons, since.reasons AS new_reasons,
    coalesce(t.messages, 0) + since.messages AS messages, coalesce(t.stored, 0) + since.stored AS stored,
    coalesce(t.duplicate, 0) + since.duplicate AS duplicate, coalesce(t.undated, 0) + since.undated AS undated
FROM shard AS s
LEFT JOIN ledger_total AS t ON s.name = t.shard
CROSS JOIN LATERAL (
    SELECT
        coalesce(sum(l.messages), 0)::bigint AS messages, coalesce(sum(l.stored), 0)::bigint AS stored,
        coalesce(sum(l.duplicate), 0)::bigint AS duplicate, coalesce(sum(l.undated), 0)::bigint AS undated,
        (
            SELECT coalesce(jsonb_object_agg(counted.outcome, counted.readings), '{}')
            FROM (
                SELECT o.outcome, sum(o.readings) AS readings
                FROM ledger_device AS o
                WHERE o.shard = s.name AND o.batch > coalesce(t.batch, 0) AND o.outcome <> 'duplicate'
                GROUP BY o.outcome
            ) AS counted
        ) AS reasons
    FROM ledger AS l
    WHERE l.shard = s.name AND l.batch > coalesce(t.batch, 0)
) AS since
ORDER BY s.name
"""


async def by_shard(connection: Connection) -> list[ShardTotals]:
    """Return what every shard has received so far, by name."""
    found = []
    for row in await connection.fetch(_TOTALS):
        sums = dict(row)
        reasons = Counter(sums.pop("reasons")) + Counter(sums.pop("new_reasons"))
        found.append(ShardTotals(**sums, reasons=dict(reasons)))
    return found


_BEGIN = "INSERT INTO ledger_total (shard) SELECT s.name FROM shard AS s ON CONFLICT DO NOTHING"

# Who adds up at the same time does it for us.
_BEHIND = """
SELECT t.shard, t.batch, least(s.batch, t.batch + $1) AS until, t.reasons
FROM ledger_total AS t
INNER JOIN shard AS s ON t.shard = s.name
WHERE t.batch < s.batch
ORDER BY t.shard
LIMIT 1
FOR UPDATE OF t SKIP LOCKED
"""

_REASONS = """
SELECT o.outcome, sum(o.readings)::bigint AS readings
FROM ledger_device AS o
WHERE o.shard = $1 AND o.batch > $2 AND o.batch <= $3 AND o.outcome <> 'duplicate'
GROUP BY o.outcome
"""

_ADD = """
UPDATE ledger_total AS t
SET
    batch = $3, reasons = $4, messages = t.messages + piece.messages, stored = t.stored + piece.stored,
    duplicate = t.duplicate + piece.duplicate, undated = t.undated + piece.undated
FROM (
    SELECT
        coalesce(sum(l.messages), 0) AS messages, coalesce(sum(l.stored), 0) AS stored,
        coalesce(sum(l.duplicate), 0) AS duplicate, coalesce(sum(l.undated), 0) AS undated
    FROM ledger AS l
    WHERE l.shard = $1 AND l.batch > $2 AND l.batch <= $3
) AS piece
WHERE t.shard = $1
"""


async def add_up(connection: Connection, piece: int = PIECE) -> int:
    """Take into the kept sums what was committed since; return how many batches that were.

    A shard's batches are committed in the order of their numbers, so that none can turn up behind.
    """
    await connection.execute(_BEGIN)
    batches = 0
    while added := await _add_piece(connection, piece):
        batches += added
    return batches


async def _add_piece(connection: Connection, piece: int) -> int:
    async with connection.transaction():
        behind = await connection.fetchrow(_BEHIND, piece)
        if behind is None:
            return 0
        bounds = behind["shard"], behind["batch"], behind["until"]
        reasons = Counter(behind["reasons"])
        for row in await connection.fetch(_REASONS, *bounds):
            reasons[row["outcome"]] += row["readings"]
        await connection.execute(_ADD, *bounds, dict(reasons))
    added: int = behind["until"] - behind["batch"]
    return added
