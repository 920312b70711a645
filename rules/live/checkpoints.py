"""Checkpoints of rules at work: their state as of a batch, and how a restart takes it up again.

A place is what a checkpoint is kept under beside its shard: a kind, or a kind's shadows.
"""

from __future__ import annotations

from contextlib import aclosing

from devices.columns import Columns
from devices.instants import to_datetime, to_microseconds
from readings import replay
from rules.engine import snapshot
from rules.engine.ruleset import RuleSet
from rules.engine.state import RuleState, StateChanges
from rules.live import stored
from store.connection import Connection

_SAVE = """
INSERT INTO rule_checkpoint (shard, kind, batch, received_at, state)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (shard, kind) DO UPDATE SET
    batch = excluded.batch,
    received_at = greatest(rule_checkpoint.received_at, excluded.received_at),
    state = excluded.state
"""


async def save(
    connection: Connection,
    shard: str,
    place: str,
    batch: int,
    state: RuleState,
    changes: StateChanges,
    rows: Columns,
) -> None:
    """Keep what a state becomes with a batch's changes; `rows` are the batch's."""
    kept = snapshot.take(state)
    changes.apply(kept.rows)
    received_at = to_datetime(int(rows.received_at.max()))
    await connection.execute(_SAVE, shard, place, batch, received_at, snapshot.dump(kept))


_CHECKPOINT = """
SELECT batch, received_at, state FROM rule_checkpoint WHERE shard = $1 AND kind = $2
"""


async def resume(connection: Connection, shard: str, place: str, unit: RuleSet) -> set[tuple[str, int]]:
    """Move a blank unit to where its shard's last committed batch left off; writes nothing.

    That is the last checkpoint, moved over the readings received since.

    Returns:
        The rules the checkpoint knew, with their versions.
    """
    row = await connection.fetchrow(_CHECKPOINT, shard, place)
    past = snapshot.parse(row["state"]) if row else None
    if row is None or past is None:
        return set()
    received_at = to_microseconds(row["received_at"])
    unit.seen = received_at
    snapshot.carry(past, unit.state)
    oldest = await stored.oldest_after_batch(connection, shard, row["batch"])
    if oldest is not None:
        since = replay.arriving(connection, unit.program.kind, oldest=oldest, after=received_at)
        async with aclosing(since):
            async for columns in since:
                unit.replay(columns)
    return {rule[:2] for rule in past.rules}
