"""The process `nabd bridge`: every enabled source that is a broker has a session; of several, one hears.

Sessions begin, end and begin anew as people change their sources. What a session needs is made here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import asyncpg
import structlog

from devices import kinds
from devices.codecs.pool import Codecs
from devices.commands import downlinks
from devices.instants import Now
from devices.kinds import Kinds
from devices.profiles.files import ProfileFiles
from devices.relay import Relay
from devices.sources import states
from devices.sources.frames import Frames
from devices.sources.installed import InstalledDevices
from devices.sources.listing import list_sources, secret_of
from devices.sources.source import Source, Way
from devices.sources.states import Frame
from devices.sources.translation import Translator, TranslatorMeans
from devices.wire.adapters.formats import FormatAway
from devices.wire.topics import GATEWAY, Channel, Topic
from nabd import clock
from nabd.bridge.downlinks import Downlinks, KnownTopics
from nabd.bridge.session import SourceSession, Step
from nabd.bridge.upstream import NOWHERE_PRIVATE
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client
from nabd.channels import source_targets
from nabd.settings import Settings
from nabd.starting import broker_of, ready_database, stop_on_signals, unless_stopped
from notify.channels.public_address import ListedTargets
from store import holder
from store.connection import Connection
from store.failures import is_outage
from store.pool import connect, open_pool

HOLDER = "bridge"
LOOK_S = 2.0
"""How often sources are looked at, and how it goes with them is stored."""
PAUSE_S = 1.0
THREADS = 64
"""An attempt to connect takes a thread until the broker answers: no source waits for another's."""
COPY_US = 600_000_000
"""A frame heard again within ten minutes is a copy; its counter cannot have gone round since."""

log = structlog.get_logger(__name__)

T = TypeVar("T")
Version = tuple[datetime, str, str]


@dataclass(slots=True, kw_only=True, repr=False)
class _Heard:
    """A source that is heard: as it was when its session began, and what runs for it."""

    version: Version
    session: SourceSession
    tasks: list[asyncio.Task[None]]


@dataclass(slots=True, kw_only=True, repr=False)
class Bridge:
    """The sessions of all sources, and what they share."""

    pool: asyncpg.Pool
    declared: Kinds
    ours: BrokerAddress
    now: Now
    codecs: Codecs
    profiles: ProfileFiles
    targets: ListedTargets = NOWHERE_PRIVATE
    step: Step = lambda _: None
    devices: InstalledDevices = field(default_factory=InstalledDevices)
    topics: KnownTopics = field(default_factory=dict)
    heard: dict[int, _Heard] = field(default_factory=dict)
    unheard: dict[int, str] = field(default_factory=dict)
    """Why sources that should be heard cannot be: what reads them is not installed."""

    async def look(self, connection: Connection) -> None:
        """Begin and end sessions as sources are now, and store how it goes with each."""
        await self.devices.look(connection)
        wanted = {one.id: one for one in await list_sources(connection) if one.way is Way.MQTT}
        for number, heard in [*self.heard.items()]:
            source = wanted.get(number)
            ended = [task for task in heard.tasks if task.done()]
            for task in ended:
                if not task.cancelled() and (error := task.exception()):
                    log.error("session of a source failed", source=heard.session.source.name, exc_info=error)
            if source is None or not source.enabled or ended or heard.version != _version(source):
                await self._end(number)
        for source in wanted.values():
            if source.enabled and source.id not in self.heard:
                await self._try_to_begin(connection, source)
        for number in await downlinks.due_at(connection, self.now):
            if (due := self.heard.get(number)) is not None:
                due.session.downlinks.look()
        await self._say(connection, wanted)
        await states.forget_old(connection, self.now)

    async def close(self) -> None:
        """End every session; who hears next may learn otherwise where devices are told something."""
        self.topics.clear()
        for number in [*self.heard]:
            await self._end(number)

    async def _try_to_begin(self, connection: Connection, source: Source) -> None:
        try:
            self.heard[source.id] = await self._begin(connection, source)
        except FormatAway as missing:
            if source.id not in self.unheard:
                log.warning("source cannot be heard", source=source.name, reason=str(missing))
            self.unheard[source.id] = str(missing)
        else:
            self.unheard.pop(source.id, None)

    async def _begin(self, connection: Connection, source: Source) -> _Heard:
        gateway = Topic(source.municipality, GATEWAY, source.gateway_wire, Channel.TELEMETRY)
        relay = Relay(gateway, partial(client, self.ours), self.now)
        known = await states.frames(connection, source.id, self.now)
        around = TranslatorMeans(profiles=self.profiles.current, codecs=self.codecs, device=self.devices.get)
        session = SourceSession(
            source=source,
            secret=await secret_of(connection, source),
            ours=self.ours,
            targets=self.targets,
            relay=relay,
            translator=Translator(source, around, Frames(known, window=COPY_US)),
            remember=partial(self._remember, source.id),
            downlinks=Downlinks(
                source=source,
                device=self.devices.get,
                topics=self.topics,
                database=self._patiently,
                now=self.now,
                step=self.step,
            ),
            now=self.now,
            step=self.step,
        )
        tasks = [asyncio.create_task(relay.run()), asyncio.create_task(session.run())]
        return _Heard(version=_version(source), session=session, tasks=tasks)

    async def _end(self, number: int) -> None:
        heard = self.heard.pop(number)
        for task in heard.tasks:
            task.cancel()
        await asyncio.gather(*heard.tasks, return_exceptions=True)

    async def _remember(self, source: int, frames: dict[Frame, int], settled: bool) -> None:
        await self._patiently(lambda one: states.remember(one, source, frames, self.now, settled=settled))

    async def _patiently(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something in the database, however long it is away."""
        while True:
            try:
                async with self.pool.acquire() as connection:
                    return await work(connection)
            except Exception as error:  # only an outage is waited for
                if not is_outage(error):
                    raise
                await asyncio.sleep(PAUSE_S)

    async def _say(self, connection: Connection, wanted: dict[int, Source]) -> None:
        for number, source in wanted.items():
            heard = self.heard.get(number)
            if heard is None:
                nothing = states.Counted()
                why = self.unheard.get(number, "") if source.enabled else "it is disabled"
                await states.say(connection, number, nothing, self.now, connected=False, reason=why)
                continue
            session = heard.session
            reason = session.reason or session.relay.state.reason
            counted = session.take_counts()
            await states.say(
                connection, source.id, counted, self.now, connected=session.connected, reason=reason
            )


def _version(source: Source) -> Version:
    return source.changed_at, source.gateway_wire, source.municipality


async def bridge(settings: Settings) -> None:
    """Hear every source until told to stop."""
    stop = stop_on_signals()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    ours = broker_of(settings)
    dsn = await unless_stopped(stop, ready_database(settings))
    now, _ = clock.parse(settings.clock)
    declared = kinds.load(settings.kinds_dir)
    pool = await open_pool(dsn, min_size=0, max_size=4)
    async with Codecs() as codecs:
        running = Bridge(
            pool=pool,
            declared=declared,
            ours=ours,
            now=now,
            codecs=codecs,
            profiles=ProfileFiles(declared, settings.profiles_dir),
            targets=source_targets(settings),
        )
        hearing = asyncio.create_task(_hear(dsn, running))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({hearing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (hearing, stopping):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await hearing
        await running.close()
    pool.terminate()


async def _hear(dsn: str, running: Bridge) -> None:
    """Look at the sources for as long as it is ours to hear them; an outage of the database is waited for."""
    told = ""
    while True:
        try:
            connection = await connect(dsn)
            try:
                await holder.wait(connection, HOLDER)
                told = ""
                while True:
                    await running.look(connection)
                    await asyncio.sleep(LOOK_S)
            finally:
                connection.terminate()
        except Exception as error:  # the edge of a process, which would end
            if not is_outage(error):
                raise
            reason = str(error) or type(error).__name__
            if not told:
                log.warning("sources cannot be looked at", reason=reason)
            told = reason
        await running.close()
        await asyncio.sleep(PAUSE_S)
