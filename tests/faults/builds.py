"""Builds of ingest: the sound one, and broken ones on which the checker must go red.

Each is a function that changes the process it is called in, which is never the process of the tests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ingest import service
from ingest.broker import session
from ingest.broker.intake import Intake
from ingest.broker.received import BrokerSession
from ingest.commit.settled import Settled
from ingest.pipeline import Pipeline


def sound() -> None:
    """Change nothing."""


def acknowledges_before_commit() -> None:
    """Tell the broker to forget messages as soon as they are taken."""
    process = Pipeline.process

    async def hasty(self: Pipeline, intake: Intake, **how: Any) -> Settled:
        connection = intake.connection
        assert isinstance(connection, session.Connection)
        connection.acknowledge(intake.packet_ids)
        await asyncio.sleep(0.05)  # the broker hears it
        intake.packet_ids.clear()
        return await process(self, intake, **how)

    Pipeline.process = hasty  # type: ignore[method-assign]


def acknowledges_on_another_connection() -> None:
    """Answer a new connection's messages with the packet ids of an earlier one."""
    remembered: list[int] = []
    take = session.Connection.take
    pump = service._Service._pump

    def remember(self: session.Connection, limit: int, after: int) -> Intake | None:
        intake = take(self, limit, after)
        if intake is not None:
            remembered[:] = intake.packet_ids
        return intake

    async def mix_up(self: Any, connection: BrokerSession, stop: asyncio.Event) -> None:
        old = list(remembered)
        if old:
            await connection.arrived.wait()
            await asyncio.sleep(0.3)  # all that will come has come
            connection.acknowledge(old)
            await asyncio.sleep(0.05)
        await pump(self, connection, stop)

    session.Connection.take = remember  # type: ignore[method-assign]
    service._Service._pump = mix_up  # type: ignore[method-assign]


BUILDS: dict[str, Callable[[], None]] = {
    "sound": sound,
    "acknowledges before commit": acknowledges_before_commit,
    "acknowledges on another connection": acknowledges_on_another_connection,
}
