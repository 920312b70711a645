"""Checkpoints of rule sets: their state as of a batch, and how a restart continues from it.

A checkpoint is stored by shard and name (column `kind`): a kind, or a kind's shadows.
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

EVERY_US = 60_000_000
"""How often a rule set is saved, in microseconds of the batches' clock."""


def is_due(ruleset: RuleSet, rows: Columns, now: int, every_us: int) -> bool:
    """Tell whether a rule set must be saved with a batch whose new rows are `rows`.

    Readings adopted from quarantine keep their old receive time: a restart would not replay them.
    """
    adopted = int(rows.received_at.min()) <= ruleset.seen
    saved_at = ruleset.checkpoint_at
    return saved_at is None or adopted or now - saved_at >= every_us


def carry_over(before: RuleSet, after: RuleSet) -> snapshot.Snapshot:
    """Copy what stays valid of a state from one rule set of a kind to the next; return what there was."""
    past = snapshot.take(before.state)
    snapshot.carry(past, after.state)
    same = past.rules == tuple(snapshot.identity(rule) for rule in after.program.rules)
    after.checkpoint_at = before.checkpoint_at if same else None
    after.seen = before.seen
    return past


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
    name: str,
    batch: int,
    state: RuleState,
    changes: StateChanges,
    rows: Columns,
) -> None:
    """Store what a state becomes with a batch's changes.

    Args:
        connection: inside the batch's transaction.
        rows: the batch's.
    """
    kept = snapshot.take(state)
    changes.apply(kept.rows)
    await put(connection, shard, name, batch, kept, int(rows.received_at.max()))


async def put(
    connection: Connection, shard: str, name: str, batch: int, kept: snapshot.Snapshot, received_at: int
) -> None:
    """Store a state as of a batch; received_at: of its newest reading, in microseconds."""
    await connection.execute(_SAVE, shard, name, batch, to_datetime(received_at), snapshot.dump(kept))


_CHECKPOINT = """
SELECT batch, received_at, state FROM rule_checkpoint WHERE shard = $1 AND kind = $2
"""


async def resume(connection: Connection, shard: str, name: str, ruleset: RuleSet) -> set[tuple[str, int]]:
    """Bring a blank rule set to the state after its shard's last committed batch; writes nothing.

    That is the last checkpoint, moved over the readings received since.

    Returns:
        The rules the checkpoint knew, with their versions.
    """
    row = await connection.fetchrow(_CHECKPOINT, shard, name)
    past = snapshot.parse(row["state"]) if row else None
    if row is None or past is None:
        return set()
    received_at = to_microseconds(row["received_at"])
    ruleset.seen = received_at
    snapshot.carry(past, ruleset.state)
    oldest = await stored.oldest_after_batch(connection, shard, row["batch"])
    if oldest is not None:
        since = replay.arriving(connection, ruleset.program.kind, oldest=oldest, after=received_at)
        async with aclosing(since):
            async for columns in since:
                ruleset.replay(columns)
    return {rule[:2] for rule in past.rules}
