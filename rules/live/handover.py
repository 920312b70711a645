"""What rules remember of devices, handed from one shard to another when a municipality moves.

The one that is left has drained, so its state is final: its last checkpoint, moved over the readings since.
It becomes part of the checkpoint of the shard that takes over, whose ingest does not run meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from rules.engine import snapshot
from rules.engine.ruleset import RuleSet, SavedAt
from rules.live import checkpoints
from store.connection import Connection


class RuleCheckpoints(Protocol):
    """A consumer of batches that keeps checkpoints."""

    async def load(self, connection: Connection, shard: str) -> None:
        """Rebuild state from what is committed."""

    @property
    def checkpoints(self) -> Mapping[str, RuleSet]:
        """The rule sets by the name of their checkpoint."""


_BATCH = "SELECT batch FROM shard WHERE name = $1"


async def hand_over(
    connection: Connection, devices: Sequence[int], *, left: RuleCheckpoints, taker: RuleCheckpoints, to: str
) -> None:
    """Add what `left` remembers of devices to the checkpoints of shard `to`; both are loaded."""
    batch = await connection.fetchval(_BATCH, to)
    for name, ruleset in taker.checkpoints.items():
        known = left.checkpoints.get(name)
        if known is None:
            continue
        rows = np.flatnonzero(np.isin(known.state.index.devices, devices))
        if not len(rows):
            continue
        snapshot.carry(snapshot.take(known.state, rows), ruleset.state)
        at = SavedAt(batch=batch, received_at=max(known.seen, ruleset.seen))
        await checkpoints.put(connection, to, name, ruleset.state, at)
