"""A municipality that is registered while ingest connects again is heard from then on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from uuid import uuid4

import asyncpg

from devices import kinds
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.wire import Kernel
from ingest.broker.hearing import Hearing
from ingest.broker.received import MessageQueue
from ingest.broker.session import IngestBroker
from ingest.commit import division
from ingest.service import IngestOptions, run
from store.audit import PLATFORM
from store.pool import connect
from tests.waiting import eventually, now


class QuietSession:
    """A session that the broker knew, of which nothing comes."""

    resumed, taken_over = True, False

    def __init__(self, hearing: Hearing) -> None:
        self.hearing = hearing
        self.heard: list[Hearing] = []
        self.waiting = MessageQueue()
        self.arrived = asyncio.Event()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def hear(self, hearing: Hearing) -> None:
        self.hearing = hearing
        self.heard.append(hearing)

    def take(self, limit: int, after: int) -> None:
        return None

    def has_emptied(self) -> bool:
        return False

    def acknowledge(self, packet_ids: list[int]) -> None: ...

    def publish(self, messages: list[tuple[str, bytes]]) -> None: ...

    async def keep_alive(self) -> None: ...

    def close(self) -> None: ...

    async def closed(self) -> None: ...


async def test_town_registered_while_ingest_connects_is_heard(
    connection: asyncpg.Connection, dsn: str
) -> None:
    await division.add_shard(connection, "north", now, by=PLATFORM)
    for name in ("tripoli", "saida"):
        await add_municipality(connection, NewMunicipality(name=name), now, by=PLATFORM)
    await connection.execute("UPDATE municipality SET shard = 'north' WHERE name = 'saida'")
    opened: list[QuietSession] = []

    async def open_session(
        _: IngestBroker, hearing: Hearing, __: Callable[[], int], ___: Kernel
    ) -> QuietSession:
        await add_municipality(connection, NewMunicipality(name="zahle"), now, by=PLATFORM)
        opened.append(QuietSession(hearing))
        return opened[0]

    async def heard() -> bool:
        return bool(opened) and "zahle" in opened[0].hearing.hears

    options = IngestOptions(
        broker=IngestBroker(host="none", port=0, client_id="c"),
        open_database=lambda: connect(dsn),
        kinds=kinds.load(),
        now=now,
        owner=uuid4(),
        open_session=open_session,
    )
    stop = asyncio.Event()
    running = asyncio.create_task(run(options, stop))
    try:
        await eventually(heard)
    finally:
        stop.set()
        await running

    # What is dropped is dropped of the newest division: never what another shard has begun to hear.
    assert [hearing.hears for hearing in opened[0].heard] == [("tripoli", "zahle")]
