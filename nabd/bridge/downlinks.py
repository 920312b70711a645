"""What devices of one source are told by their network server, and what that says became of it.

What is handed over is marked before and confirmed after, as other commands are. Where devices are told
something is learned from where they are heard. Must not know profiles: commands come as bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from devices.commands import downlinks
from devices.commands.downlinks import DueDownlink
from devices.instants import Now, to_microseconds
from devices.registry.registry import Device
from devices.sources.happenings import concerns_commands, record_happening
from devices.sources.source import Source
from devices.sources.translation import Translated
from devices.wire.adapters.downlink import Downlink
from devices.wire.adapters.formats import Event
from devices.wire.adapters.formats.downlinks import (
    FORMATS,
    KNOWS_REPEATS,
    DownlinkTopic,
    is_told_at,
    message_of,
    topic_of,
)
from devices.wire.reasons import NO_SUBSCRIBERS, is_taken
from nabd.bridge.upstream import Upstream
from store.connection import Connection

log = structlog.get_logger(__name__)

T = TypeVar("T")
KnownTopics = dict[int, tuple[str, int, DownlinkTopic]]
"""By the number of a device, its hardware on the wire, the source that heard that last, and where there it is
told something."""


class Database(Protocol):
    """Does something in the database, however long it is away."""

    def __call__(self, work: Callable[[Connection], Awaitable[T]]) -> Awaitable[T]: ...


@dataclass(slots=True, kw_only=True)
class Downlinks:
    """Those of one source.

    device: by the name on the wire, None for a stranger's. topics: of all sources, shared by them.
    """

    source: Source
    device: Callable[[str], Device | None]
    topics: KnownTopics
    database: Database
    now: Now
    step: Callable[[str], None] = lambda _: None
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _recording: set[asyncio.Future[None]] = field(default_factory=set)

    def look(self) -> None:
        """Hand over what is due, soon."""
        self._due.set()

    async def hand_over(self, upstream: Upstream) -> None:
        """Hand over what is due, whenever something is, until cancelled.

        Raises:
            aiomqtt.MqttError: the connection is lost; whether what was on its way has arrived is not known.
        """
        repeats = self.source.format in KNOWS_REPEATS
        await self.database(lambda one: downlinks.let_answers_come(one, self.source.id, self.now))
        while True:
            await self._due.wait()
            self._due.clear()
            while due := await self.database(
                lambda one: downlinks.take(one, self.source.id, self.now, repeats=repeats)
            ):
                await self._hand(upstream, due)

    async def _hand(self, upstream: Upstream, due: DueDownlink) -> None:
        to = DownlinkTopic(prefix=due.topic, json=due.json)
        downlink = Downlink(port=due.port, payload=due.payload, confirmed=due.confirmed)
        expires_at = to_microseconds(due.expires_at)
        self.step("taken")
        code = await upstream.publish(*message_of(self.source.format, to, due.id, downlink, expires_at))
        self.step("handed over")
        if not is_taken(code):
            why = _refusal(self.source, code)
            log.warning("downlink is not taken", source=self.source.name, reason=why)
            await self._record(lambda one: downlinks.put_back(one, due.id, why, self.now))
        else:
            await self._record(lambda one: downlinks.mark_delivered(one, due.id, self.now))

    async def _record(self, work: Callable[[Connection], Awaitable[None]]) -> None:
        """Store what the broker said, also where it closes the connection upon that, as some do."""
        recording = asyncio.ensure_future(self.database(work))
        self._recording.add(recording)
        recording.add_done_callback(self._recording.discard)
        await asyncio.shield(recording)

    async def hear(self, topic: str, payload: bytes, found: Translated) -> None:
        """Learn where the devices of a message are told something, and what became of what they were told."""
        if self.source.format not in FORMATS:
            return
        told_at = topic_of(self.source.format, topic, payload)
        for name in found.speakers:
            device = self._relayed(name)
            if (
                told_at is not None
                and device is not None
                and self.topics.get(device.id) != (name, self.source.id, told_at)
                and is_told_at(self.source.format, told_at, name, payload)
            ):
                await self._learn(device, told_at)
        for event in found.events:
            device = self._relayed(event.device)
            if device is not None and concerns_commands(self.source, event):
                await self._hear_event(device, event)

    def _relayed(self, name: str) -> Device | None:
        device = self.device(name)
        return device if device is not None and self.source.gateway in device.relays else None

    async def _hear_event(self, device: Device, event: Event) -> None:
        await self.database(lambda one: record_happening(one, self.source, device, event, self.now))

    async def _learn(self, device: Device, told_at: DownlinkTopic) -> None:
        at = (self.source.id, told_at.prefix)
        await self.database(lambda one: downlinks.learn_topic(one, device, *at, json=told_at.json))
        self.topics[device.id] = device.wire, self.source.id, told_at


def _refusal(source: Source, code: int) -> str:
    if code == NO_SUBSCRIBERS:
        return f"nobody hears it at the broker of source {source.name}: does its network server run?"
    return f"the broker of source {source.name} refuses it (code {code:#x}): its account may not publish it"
