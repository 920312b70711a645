"""What else runs in a batch's transaction. Ingest must not know what consumers do with the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from devices.columns import Columns
from devices.registry.registry import Registry
from store.connection import Connection


class BatchConsumer(Protocol):
    """Gets every new row once, in the transaction that stores it."""

    async def load(self, connection: Connection, shard: str, registry: Registry | None = None) -> None:
        """Rebuild state from what is committed; called whenever this process has claimed the shard.

        Args:
            registry: as it is now, if the caller has it.
        """

    async def reload(self, connection: Connection, registry: Registry | None = None) -> None:
        """Take the present registry and rules: one of them has changed."""

    def foresee(self, columns: Columns) -> None:
        """Compute ahead for rows of one kind that `consume` will most likely get, as the same object.

        Called while the server stores them. Must not raise, nor change what `consume` would do.
        """

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        """Process the new rows of a batch, in its transaction; must not end it."""

    def committed(self) -> None:
        """Adopt what `consume` computed: the transaction has committed."""

    def rolled_back(self) -> None:
        """Drop what `consume` computed: the transaction has not committed."""
