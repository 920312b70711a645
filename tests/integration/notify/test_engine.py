"""The notifier as it runs: woken by NOTIFY, one leads while another stands by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from uuid import uuid4

import asyncpg

from notify.message import NotificationChannel, NotificationMessage
from notify.notices.writing import NoticeTexts
from notify.outbox import engine
from notify.outbox.engine import NotifierParts
from notify.outbox.sender import AT_A_TIME
from store.connection import Connection
from store.pool import connect
from tests.integration.api import builders
from tests.integration.notify.scene import NotedChannel, TableRouting, compose, fire, person, steps
from tests.integration.notify.test_notices import NamedRouting
from tests.integration.work.order_rows import add_order, happen
from tests.waiting import eventually, now


@dataclass(slots=True, kw_only=True)
class HangingChannel:
    """Takes a message and answers when it is let."""

    name: str = "sms"
    taken: list[str] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: NotificationMessage, to: str) -> str:
        self.taken.append(message.id)
        await self.answers.wait()
        return "at last"

    async def close(self) -> None: ...


async def _parts(dsn: str, pool: asyncpg.Pool, *channels: NotificationChannel) -> NotifierParts:
    connection = await connect(dsn)
    amal = await person(connection, "amal")
    await connection.close()
    ways = {amal: [(channel.name, "amal", 0.0) for channel in channels]}
    routing = TableRouting(steps=steps(f"person:{amal}"), ways=ways)

    async def load(_: Connection) -> TableRouting:
        return routing

    return NotifierParts(
        open_database=lambda: connect(dsn),
        pool=pool,
        load_routing=load,
        compose=compose,
        channels={channel.name: channel for channel in channels},
        kinds=builders.KINDS,
        now=now,
    )


@asynccontextmanager
async def _running(parts: NotifierParts) -> AsyncIterator[asyncio.Event]:
    leading = asyncio.Event()
    task = asyncio.create_task(engine.run(parts, leading=leading))
    try:
        yield leading
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _sent(channel: NotedChannel, count: int) -> None:
    async def enough() -> bool:
        return len(channel.sent) >= count

    await eventually(enough)


async def test_one_tells_while_another_stands_by_and_takes_over(
    dsn: str, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    channel = NotedChannel()
    first = await _parts(dsn, pool, channel)
    async with _running(first) as leads:
        await leads.wait()
        second = _running(replace(first, owner=uuid4()))
        stands_by = await second.__aenter__()
        one = await fire(connection, "bin-1")
        await _sent(channel, 1)
        assert not stands_by.is_set()
    await stands_by.wait()
    two = await fire(connection, "bin-2")
    await _sent(channel, 2)
    await second.__aexit__(None, None, None)
    assert channel.told() == [("amal", "opened", (one,)), ("amal", "opened", (two,))]


async def test_a_channel_that_hangs_holds_up_no_other(
    dsn: str, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    channel, hanging = NotedChannel(), HangingChannel()
    async with _running(await _parts(dsn, pool, channel, hanging)) as leads:
        await leads.wait()
        for n in range(AT_A_TIME + 4):
            await fire(connection, f"bin-{n}")
        await _sent(channel, AT_A_TIME + 4)
        assert len(hanging.taken) == AT_A_TIME
        hanging.answers.set()


async def test_a_lost_session_is_replaced_and_nothing_is_told_twice(
    dsn: str, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    channel = NotedChannel()
    async with _running(await _parts(dsn, pool, channel)) as leads:
        await leads.wait()
        await fire(connection, "bin-1")
        await _sent(channel, 1)
        await connection.execute("SELECT pg_terminate_backend(pid) FROM nabd_holder WHERE name = 'notify'")
        await fire(connection, "bin-2")
        await _sent(channel, 2)
    assert len({alerts for _, _, alerts in channel.told()}) == len(channel.sent) == 2


async def test_what_happens_to_work_is_told_by_the_process_that_tells_alerts(
    dsn: str, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    channel = NotedChannel()
    parts = await _parts(dsn, pool, channel)
    parts = replace(parts, notices=NoticeTexts(pool=pool, kinds=builders.KINDS, now=now))
    amal: int = await connection.fetchval("SELECT id FROM person WHERE name = 'amal'")

    async def load(_: Connection) -> NamedRouting:
        return NamedRouting(steps=(), ways={amal: [("ntfy", "amal", 0.0)]}, named={"person:amal": [amal]})

    parts = replace(parts, load_routing=load)
    async with _running(parts) as leading:
        await leading.wait()
        device = await builders.add(connection, "light-1", kind="light")
        order = await add_order(connection, device, assignee_id=amal, state="assigned", title="Go")
        await happen(connection, order, "assigned", body={"assignee": amal, "team": None})
        await _sent(channel, 1)

    [(to, message)] = channel.sent
    assert message.work is not None
    assert (to, message.work.order, message.work.event) == ("amal", order, "assigned")
