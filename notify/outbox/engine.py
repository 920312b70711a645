"""The notifier: leads or stands by, follows what happens to alerts, sends what is due, outlasts outages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import structlog

from devices.instants import Now
from devices.kinds import Kinds
from notify.message import NotificationChannel
from notify.outbox import attempts, batch, channel_health, escalation_rows, ownership, scheduled, work_events
from notify.outbox.batch import BatchParts
from notify.outbox.ownership import Leader, NotLeader
from notify.outbox.ports import (
    AnswersOf,
    LoadRouting,
    MessageWriter,
    NoticeWriter,
    RoutePlans,
    SilencedUntil,
    no_answers,
    no_notices,
    nothing_silenced,
)
from notify.outbox.sender import MessageSender
from store.connection import Connection
from store.failures import is_outage

log = structlog.get_logger(__name__)

STAND_BY_S = 0.3
AGAIN_S = 1.0
UNSETTLED_S, UNSETTLED_POLL_S = 2.0, 0.03
"""For so long after a notification an event may wait for an older transaction: until then we look often."""
LONGEST_S = 1.0
GATHER_S = 0.01
"""What happens within it shares a batch."""
ROUTING_VALID_S = 2.0
"""For how long routes, schedules and people are taken as they were read."""
BEAT_S = 2.0
WORK_S = 0.5
"""How often it is looked what happened to work."""
REPORTS_S = 20.0
"""How often it is looked whether a report is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierParts:
    """What a notifier works with. open_database: opens the session that holds the lead, and listens.

    speed: how fast `now` runs.
    """

    open_database: Callable[[], Awaitable[asyncpg.Connection]]
    pool: asyncpg.Pool[asyncpg.Record]
    load_routing: LoadRouting
    compose: MessageWriter
    channels: Mapping[str, NotificationChannel]
    kinds: Kinds
    now: Now
    silenced: SilencedUntil = nothing_silenced
    answers_of: AnswersOf = no_answers
    notices: NoticeWriter = no_notices
    speed: float = 1.0
    owner: UUID = field(default_factory=uuid4)


async def run(parts: NotifierParts, *, leading: asyncio.Event | None = None) -> None:
    """Tell people until cancelled, while no other process does; `leading` is set while this one does."""
    notifier = _Notifier(parts, leading or asyncio.Event())
    away = False
    try:
        while True:
            try:
                await notifier.lead()
                away = False
            except NotLeader:
                log.warning("another process notifies, standing by")
            except Exception as error:  # only an outage is handled here
                if not is_outage(error):
                    raise
                if not away:
                    log.warning("database is away; notifying waits", error=str(error) or type(error).__name__)
                away = True
            await asyncio.sleep(AGAIN_S)
    finally:
        await notifier.close()


class _Notifier:
    def __init__(self, parts: NotifierParts, leading: asyncio.Event) -> None:
        self._parts = parts
        self._leading = leading
        self._wake = asyncio.Event()
        self._notified_at = 0.0
        self._routing: RoutePlans | None = None
        self._routing_at = 0.0
        self._work_at = -inf
        self._reports_at = -inf
        self._sender = MessageSender(
            pool=parts.pool,
            channels=parts.channels,
            compose=parts.compose,
            answers_of=parts.answers_of,
            kinds=parts.kinds,
            now=parts.now,
            owner=parts.owner,
            silenced=parts.silenced,
            notices=parts.notices,
            speed=parts.speed,
            passed_on=self._wake,
        )

    async def close(self) -> None:
        """Give the channels' connections back."""
        await self._sender.finish()
        for channel in self._parts.channels.values():
            with contextlib.suppress(Exception):
                await channel.close()

    async def lead(self) -> None:
        """Wait for the lead, then notify as long as it lasts.

        Raises:
            NotLeader: another process has it.
        """
        async with self._session() as connection:
            leader = await self._claimed(connection)
            await self._sender.take_over()
            await work_events.put_first(connection)
            log.info("notifying", batch=leader.batch)
            self._leading.set()
            try:
                await _first_of(
                    self._follow(connection, leader), self._sender.run(), self._keep(), name="notifier"
                )
            except asyncio.CancelledError:
                # Before the lead is free: else another process would send again what has no answer yet.
                await self._sender.finish()
                await self._sender.record()
                raise
            finally:
                self._leading.clear()

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[Connection]:
        connection = await self._parts.open_database()
        try:
            # A batch that a crash of the database takes is read again; an attempt flushes all before it.
            await connection.execute("SET synchronous_commit = off")
            await connection.add_listener("nabd_alert", self._notified)
            yield connection
        finally:
            connection.terminate()  # with it the lead is free at once; nothing is lost that was not committed

    def _notified(self, *_: Any) -> None:
        self._notified_at = asyncio.get_running_loop().time()
        self._wake.set()

    async def _claimed(self, connection: Connection) -> Leader:
        leader = Leader(owner=self._parts.owner)
        told = False
        while True:
            async with connection.transaction():
                if await ownership.claim(connection, leader, self._parts.now()):
                    return leader
            if not told:
                log.info("standing by")
                told = True
            await asyncio.sleep(STAND_BY_S)

    async def _follow(self, connection: Connection, leader: Leader) -> None:
        parts = self._parts
        while True:
            self._wake.clear()
            tools = BatchParts(routing=await self._routes(connection), silenced=parts.silenced, new_id=uuid4)
            done = await batch.advance(connection, leader, tools, parts.now())
            if done.planned:
                self._sender.planned.set()
            more = await self._follow_work(connection, tools.routing)
            if not (done.more or more):
                await self._wait(connection)

    async def _follow_work(self, connection: Connection, routing: RoutePlans) -> bool:
        """Plan who is told of work, now and then; return whether there is more already."""
        time = asyncio.get_running_loop().time()
        if time - self._work_at < WORK_S:
            return False
        parts = self._parts
        planned, more = await work_events.advance(connection, parts.owner, routing, parts.now())
        self._work_at = -inf if more else time
        if planned:
            self._sender.planned.set()
        return more

    async def _routes(self, connection: Connection) -> RoutePlans:
        time = asyncio.get_running_loop().time()
        if self._routing is None or time - self._routing_at > ROUTING_VALID_S:
            self._routing = await self._parts.load_routing(connection)
            self._routing_at = time
        return self._routing

    async def _wait(self, connection: Connection) -> None:
        due = await escalation_rows.next_due(connection)
        recently = asyncio.get_running_loop().time() - self._notified_at < UNSETTLED_S
        longest = UNSETTLED_POLL_S if recently else LONGEST_S
        if due is not None:
            longest = min(longest, max((due - self._parts.now()) / 1e6 / self._parts.speed, 0.001))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest):
                await self._wake.wait()
        await asyncio.sleep(GATHER_S)

    async def _keep(self) -> None:
        """Now and then say that we are alive, tell of channels that fail, refuse what no channel takes."""
        parts = self._parts
        while True:
            async with parts.pool.acquire() as connection, connection.transaction():
                now = parts.now()
                await ownership.still(connection, parts.owner)
                await ownership.beat(connection, parts.owner, now)
                await attempts.drop_deactivated(connection, now)
                await attempts.refuse_unknown(connection, list(parts.channels), now)
                routing = await self._routes(connection)
                told = await channel_health.tell_of_failing(connection, routing, parts.channels.keys(), now)
                told += await self._reports(connection, routing, now)
            if told:
                self._sender.planned.set()
            await asyncio.sleep(BEAT_S)

    async def _reports(self, connection: Connection, routing: RoutePlans, now: int) -> int:
        time = asyncio.get_running_loop().time()
        if time - self._reports_at < REPORTS_S:
            return 0
        self._reports_at = time
        return await scheduled.plan_due(connection, routing, now)


async def _first_of(*work: Any, name: str) -> None:
    """Run coroutines together until one fails, whose error is raised; then cancel the others."""
    tasks = [asyncio.create_task(one, name=name) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
