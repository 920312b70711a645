"""Live rules and shadows as two consumers of the same batches."""

from __future__ import annotations

from collections.abc import Sequence

from devices.columns import Columns
from devices.registry.registry import Registry
from rules.live.consumer import LiveRules
from rules.trial.consumer import ShadowRules
from store.connection import Connection
from tests.integration.rules.ingestion import KINDS


class LiveAndShadow(LiveRules):
    """Hands every call to both."""

    def __init__(self) -> None:
        super().__init__(KINDS)
        self.shadow = ShadowRules(KINDS)

    async def load(self, connection: Connection, shard: str, registry: Registry | None = None) -> None:
        await super().load(connection, shard, registry)
        await self.shadow.load(connection, shard)

    async def reload(self, connection: Connection, registry: Registry | None = None) -> None:
        await super().reload(connection, registry)
        await self.shadow.reload(connection)

    async def consume(self, connection: Connection, batch: int, columns: Sequence[Columns], now: int) -> None:
        await super().consume(connection, batch, columns, now)
        await self.shadow.consume(connection, batch, columns, now)

    def committed(self) -> None:
        super().committed()
        self.shadow.committed()

    def rolled_back(self) -> None:
        super().rolled_back()
        self.shadow.rolled_back()
