"""Sums of the ledger for every shard, at a cost that does not grow with the ledger.

Older batches are added up from time to time into table ledger_total; those since are a short range of the
ledger's key. Readings are never counted here: readings.ledger does that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from store.connection import Connection

PIECE = 20_000
"""Batches added up in one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardTotals:
    """What became of everything a shard has received. `reasons` counts rejected readings."""

    shard: str
    messages: int
    stored: int
    merged: int
    duplicate: int
    undated: int
    reasons: Mapping[str, int] = field(default_factory=dict)


_KEPT = """
SELECT
    s.name AS shard, coalesce(t.batch, 0) AS batch, coalesce(t.reasons, '{}') AS reasons,
    coalesce(t.messages, 0) AS messages, coalesce(t.stored, 0) AS stored,
    coalesce(t.merged, 0) AS merged, coalesce(t.duplicate, 0) AS duplicate, coalesce(t.undated, 0) AS undated
FROM shard AS s
LEFT JOIN ledger_total AS t ON s.name = t.shard
ORDER BY s.name
"""

# The bounds are parameters: with a join to ledger_total the planner would read the whole ledger.
_PIECE = """
SELECT
    coalesce(sum(l.messages), 0)::bigint AS messages, coalesce(sum(l.stored), 0)::bigint AS stored,
    coalesce(sum(l.merged), 0)::bigint AS merged, coalesce(sum(l.duplicate), 0)::bigint AS duplicate,
    coalesce(sum(l.undated), 0)::bigint AS undated
FROM ledger AS l
WHERE l.shard = $1 AND l.batch > $2 AND l.batch <= $3
"""

_REASONS = """
SELECT o.outcome, sum(o.readings)::bigint AS readings
FROM ledger_device AS o
WHERE o.shard = $1 AND o.batch > $2 AND o.batch <= $3 AND o.outcome NOT IN ('duplicate', 'merged')
GROUP BY o.outcome
"""
_LAST = (1 << 63) - 1


async def by_shard(connection: Connection) -> list[ShardTotals]:
    """Return what every shard has received so far, by name."""
    # One snapshot of both tables: what is added up meanwhile must be neither missed nor counted twice.
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return [await _since(connection, dict(row)) for row in await connection.fetch(_KEPT)]


async def _since(connection: Connection, kept: dict[str, Any]) -> ShardTotals:
    piece, reasons = await _piece(connection, kept["shard"], kept.pop("batch"), _LAST)
    reasons += Counter(kept.pop("reasons"))
    sums = {name: kept[name] + piece[name] for name in piece}
    return ShardTotals(shard=kept["shard"], reasons=dict(reasons), **sums)


async def _piece(
    connection: Connection, shard: str, after: int, until: int
) -> tuple[dict[str, int], Counter[str]]:
    """Return the sums of the batches numbered (after, until], and the reasons of rejections."""
    sums = await connection.fetchrow(_PIECE, shard, after, until)
    assert sums is not None
    reasons = await connection.fetch(_REASONS, shard, after, until)
    return dict(sums), Counter({row["outcome"]: row["readings"] for row in reasons})


_BEGIN = "INSERT INTO ledger_total (shard) SELECT s.name FROM shard AS s ON CONFLICT DO NOTHING"

# SKIP LOCKED: another process that adds up at the same time does the same work.
_BEHIND = """
SELECT t.shard, t.batch, least(s.batch, t.batch + $1) AS until, t.reasons
FROM ledger_total AS t
INNER JOIN shard AS s ON t.shard = s.name
WHERE t.batch < s.batch
ORDER BY t.shard
LIMIT 1
FOR UPDATE OF t SKIP LOCKED
"""

_ADD = """
UPDATE ledger_total AS t
SET
    batch = $2, reasons = $3, messages = t.messages + $4, stored = t.stored + $5,
    merged = t.merged + $6, duplicate = t.duplicate + $7, undated = t.undated + $8
WHERE t.shard = $1
"""


async def add_up(connection: Connection, piece: int = PIECE) -> int:
    """Add the batches committed since to the stored sums; return how many those were.

    A shard's batches are committed in the order of their numbers, so that none can appear below the bound.
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
        shard, until = behind["shard"], behind["until"]
        sums, reasons = await _piece(connection, shard, behind["batch"], until)
        reasons += Counter(behind["reasons"])
        await connection.execute(
            _ADD, shard, until, dict(reasons),
            sums["messages"], sums["stored"], sums["merged"], sums["duplicate"], sums["undated"],
        )  # fmt: skip
    added: int = behind["until"] - behind["batch"]
    return added
