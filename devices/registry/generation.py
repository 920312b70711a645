"""How a change of the registry or of rules reaches ingest: by a generation, counted in each shard's row.

Each batch of ingest locks and reads that row, so a change is seen by the first batch after its commit.
"""

from __future__ import annotations

from store.connection import Connection

_ADVANCE = "UPDATE shard SET generation = generation + 1"


async def advance(connection: Connection) -> None:
    """Count a change of the registry or of rules.

    Every batch locks the same rows, so this must be the last statement of its transaction.
    """
    await connection.execute(_ADVANCE)
