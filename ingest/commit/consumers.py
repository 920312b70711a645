"""Who else works in a batch's transaction. Ingest never knows what they do with the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from devices.columns import Columns
from store.connection import Connection


class BatchConsumer(Protocol):
    """Sees every new row once, in the transaction that stores it."""

    async def load(self, connection: Connection, shard: str) -> None:
        """Rebuild state from what is committed; called whenever this process has claimed the shard."""

    async def reload(self, connection: Connection) -> None:
        """Take note that the registry or the rules changed."""

    def foresee(self, columns: Columns) -> None:
        """Rows of one kind that `consume` is likely to be given, the same object: work may begin.

        Called while the server takes them. Must not raise, nor change what `consume` would do.
        """

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Work on the new rows of a batch, in its transaction; must not end it."""

    def committed(self) -> None:
        """The transaction has committed: what `consume` computed is the state."""

    def rolled_back(self) -> None:
        """The transaction has not: forget what `consume` computed."""
