"""What is posted to webhooks: translated, relayed and remembered, and counted for each source.

A delivery is answered when everything that it says is committed. Must not know HTTP, nor how readings get to
ingest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import structlog

from devices.codecs.pool import Codecs
from devices.instants import Now
from devices.profiles import Profiles
from devices.registry.errors import NotFound
from devices.registry.registry import Device
from devices.relay import Outcome
from devices.sources import states
from devices.sources.frames import Frames
from devices.sources.happenings import concerns_commands, record_happening
from devices.sources.installed import InstalledDevices
from devices.sources.listing import get_source, secret_of
from devices.sources.source import Source, Way
from devices.sources.states import Counted, Frame
from devices.sources.translation import Translator, TranslatorMeans
from devices.wire.adapters.formats import Event
from devices.wire.topics import GATEWAY, Channel, Topic
from store.connection import Connection
from store.failures import is_outage

SAY_S = 2.0
"""How often it is stored how sources do."""
REGISTRY_S = 10.0
"""How old what we know of devices may be at most once something has changed, in seconds."""
STRANGER_S = 1.0
"""The same where a source speaks of commands to a device that it does not relay, as far as we know."""
COPY_US = 120_000_000
"""A frame that is settled is a copy for two minutes; so is what says no instant, byte for byte."""

log = structlog.get_logger(__name__)

Send = Callable[[Topic, Sequence[Mapping[str, object]]], Awaitable[list[Outcome]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResult:
    """What became of a delivery: the devices of its elements, an outcome each, and how many were copies."""

    devices: Sequence[str]
    outcomes: Sequence[Outcome]
    copies: int


async def opened(connection: Connection, name: str) -> tuple[Source, str] | None:
    """Return a webhook by its source's name, with its secret; None where there is no enabled one."""
    try:
        source = await get_source(connection, name)
    except NotFound:
        return None
    if source.way is not Way.WEBHOOK or not source.enabled:
        return None
    return source, await secret_of(connection, source)


class WebhookIntake:
    """Takes deliveries for as long as `run` runs."""

    def __init__(
        self,
        pool: asyncpg.Pool[asyncpg.Record],
        codecs: Codecs,
        profiles: Callable[[], Profiles],
        send: Send,
        now: Now,
    ) -> None:
        """Make it.

        Args:
            profiles: as they are now.
            send: brings elements to ingest, as a gateway's; waits for receipts.
        """
        self._pool = pool
        self._send = send
        self._now = now
        self._devices = InstalledDevices()
        self._looked_s = -REGISTRY_S
        self._looking = asyncio.Lock()
        self._translators: dict[int, tuple[datetime, Translator]] = {}
        self._frames: dict[int, Frames] = {}
        self._opening = asyncio.Lock()
        self._counted: dict[int, Counted] = {}
        self._around = TranslatorMeans(profiles=profiles, codecs=codecs, device=self._devices.get)

    async def run(self) -> None:
        """Store how sources do, and forget old frames, until cancelled."""
        while True:
            await asyncio.sleep(SAY_S)
            try:
                async with self._pool.acquire() as connection:
                    await self._say(connection)
                    await states.forget_old(connection, self._now)
            except Exception as error:  # the edge of a task
                if not is_outage(error):
                    log.exception("how webhooks do cannot be stored")

    def refuse(self, source: Source) -> None:
        """Count a delivery by who does not know the secret: anybody, of whom the webhook knows nothing."""
        self._count(source, Counted(refused=1, refused_at=self._now()))

    async def take(self, source: Source, topic: str, payload: bytes) -> WebhookResult:
        """Take a delivery; return once everything that it says is committed, and remembered.

        What it says of commands is committed first.

        Waits for as long as that takes: whoever cancels may be sent the same again, and it is stored once.

        Raises:
            CodecsAway: no process for codecs can be had.
            Exception: one of the database's; the delivery is to be sent again.
        """
        translator = await self._translator(source)
        # Who posts repeats what was not answered: any delivery may be one, and waits for the one before it.
        found = await translator.translate(topic, payload, self._now(), repeated=True, waits=True)
        settled: Mapping[Frame, int] = {}
        try:
            await self._record(source, found.events)
            await self._remember(source, found.undated, settled=False)
            gateway = Topic(source.municipality, GATEWAY, source.gateway_wire, Channel.TELEMETRY)
            outcomes = await self._send(gateway, found.elements)
            stored = translator.settled(found, outcomes)
            await self._remember(source, stored, settled=True)
            settled = stored
        finally:
            translator.end(found, settled, self._now())
        message = Counted(messages=1, last_message_at=self._now())
        self._count(source, message + found.counted(outcomes, self._now()))
        return WebhookResult(
            devices=[str(element.get("device", "")) for element in found.elements],
            outcomes=outcomes,
            copies=found.copies,
        )

    async def _translator(self, source: Source) -> Translator:
        async with self._pool.acquire() as connection:
            await self._look_at_devices(connection, REGISTRY_S)
            async with self._opening:
                if source.id not in self._frames:
                    known = await states.frames(connection, source.id, self._now)
                    self._frames[source.id] = Frames(known, window=COPY_US)
        version, translator = self._translators.get(source.id, (None, None))
        if translator is None or version != source.changed_at:
            # Of a source that has changed what is on its way goes on.
            translator = Translator(source, self._around, self._frames[source.id])
            self._translators[source.id] = source.changed_at, translator
        return translator

    async def _look_at_devices(self, connection: Connection, age_s: float) -> None:
        """Read the registry unless that was done less than so many seconds ago."""
        async with self._looking:
            clock_s = asyncio.get_running_loop().time()
            if clock_s - self._looked_s >= age_s:
                await self._devices.look(connection)
                self._looked_s = clock_s

    async def _record(self, source: Source, events: Sequence[Event]) -> None:
        """Store what became of commands: known again where the delivery is repeated."""
        heard = [event for event in events if concerns_commands(source, event)]
        if not heard:
            return
        async with self._pool.acquire() as connection:
            if any(self._relayed(source, event) is None for event in heard):
                await self._look_at_devices(connection, STRANGER_S)
            for event in heard:
                if (device := self._relayed(source, event)) is not None:
                    await record_happening(connection, source, device, event, self._now)

    def _relayed(self, source: Source, event: Event) -> Device | None:
        device = self._devices.get(event.device)
        return device if device is not None and source.gateway in device.relays else None

    async def _remember(self, source: Source, frames: Mapping[Frame, int], *, settled: bool) -> None:
        if frames:
            async with self._pool.acquire() as connection:
                await states.remember(connection, source.id, frames, self._now, settled=settled)

    def _count(self, source: Source, more: Counted) -> None:
        self._counted[source.id] = self._counted.get(source.id, Counted()) + more

    async def _say(self, connection: Connection) -> None:
        for number in [*self._counted]:
            counted = self._counted.pop(number)
            connected = True if counted.messages else None
            await states.say(connection, number, counted, self._now, connected=connected)
