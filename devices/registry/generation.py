"""How a change of the registry or of rules reaches ingest: the generation counted on each shard's row.

Ingest reads it when each batch takes the row, so a change is seen by the first batch after its commit.
"""

from __future__ import annotations

from store.connection import Connection

_ADVANCE = "UPDATE shard SET generation = generation + 1"


async def advance(connection: Connection) -> None:
    """Say that something ingest must see has changed.

    Every batch locks the same row, so this is to be the last statement of its transaction.
    """
    await connection.execute(_ADVANCE)
