"""One source, heard until cancelled: its messages translated, relayed, and acknowledged in their order.

A message is acknowledged once everything that it says is committed and remembered. Whatever goes wrong with a
source is its state, and nobody else's.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import ChainMap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

import aiomqtt
import structlog

from devices.codecs.codec import CodecsAway
from devices.instants import Now
from devices.relay import Outcome, Relay
from devices.relay.reconnecting import stay_connected
from devices.sources.source import Source
from devices.sources.states import Counted, Frame
from devices.sources.translation import Translated, Translator
from devices.wire.adapters.formats import Happening
from devices.wire.adapters.formats.bounded import MAX_MESSAGE
from devices.wire.adapters.formats.sparkplug import rebirth_request
from nabd.bridge.downlinks import Downlinks
from nabd.bridge.upstream import NOWHERE_PRIVATE, SubscriptionRefused, Upstream, UpstreamMessage, connected
from nabd.broker.address import BrokerAddress
from notify.channels.public_address import ListedTargets
from store.failures import DATA_ERRORS

AT_ONCE = 500
"""Messages on their way at once; the broker waits with more."""
OVERDUE_EVERY_S = 1.0
OUTAGES = (aiomqtt.MqttError, SubscriptionRefused, CodecsAway, OSError, ssl.SSLError, TimeoutError)

log = structlog.get_logger(__name__)

Step = Callable[[str], None]
Remember = Callable[[dict[Frame, int], bool], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class _OnItsWay:
    """A message, what it became, and what becomes of that; message: None for what was held back.

    released: set once what waits in it for other messages is committed with them; None: nothing does.
    """

    message: UpstreamMessage | None
    found: Translated
    sending: asyncio.Task[list[Outcome]]
    released: asyncio.Event | None = None

    async def done(self) -> None:
        """Return once everything that the message says is committed."""
        await self.sending
        if self.released is not None:
            await self.released.wait()

    @property
    def is_done(self) -> bool:
        """Tell whether everything that the message says is committed."""
        return self.sending.done() and (self.released is None or self.released.is_set())


@dataclass(slots=True, kw_only=True, repr=False)
class _Connection:
    """One connection: what came by it and is not acknowledged; of that, by number, what waits for others."""

    upstream: Upstream
    tasks: asyncio.TaskGroup
    waiting: asyncio.Queue[_OnItsWay] = field(default_factory=lambda: asyncio.Queue(AT_ONCE))
    held: dict[int, asyncio.Event] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, repr=False)
class SourceSession:
    """Hears one source while `run` runs.

    remember: stores frames and whether they are settled, for as long as that takes.
    ours: our own broker, where the source names no other.
    connected, reason, counted: how it goes, to be said; counted begins anew whenever it is taken.
    """

    source: Source
    secret: str
    ours: BrokerAddress
    relay: Relay
    translator: Translator
    remember: Remember
    downlinks: Downlinks
    now: Now
    targets: ListedTargets = NOWHERE_PRIVATE
    step: Step = lambda _: None
    connected: bool = False
    reason: str = "not connected yet"
    counted: Counted = field(default_factory=Counted)

    async def run(self) -> None:
        """Stay connected until cancelled; an outage is logged when it begins and when it ends."""
        await stay_connected(self._connected, OUTAGES, partial(self._tell, connected=False))

    async def _connected(self) -> None:
        async with connected(self.source, self.secret, self.ours, targets=self.targets) as upstream:
            self._tell(connected=True)
            await self._serve(upstream)

    def take_counts(self) -> Counted:
        """Return what was counted since this was asked last."""
        counted, self.counted = self.counted, Counted()
        return counted

    def _tell(self, reason: str = "", *, connected: bool) -> None:
        if reason and (self.connected or reason != self.reason):
            log.warning("source cannot be heard", source=self.source.name, reason=reason)
        elif connected and not self.connected:
            log.info("source is heard", source=self.source.name)
        self.connected, self.reason = connected, reason

    async def _serve(self, upstream: Upstream) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                connection = _Connection(upstream=upstream, tasks=tasks)
                tasks.create_task(self._acknowledge(connection))
                tasks.create_task(self._look_for_overdue(connection))
                tasks.create_task(self.downlinks.hand_over(upstream))
                async for message in upstream.messages():
                    self.counted += Counted(messages=1, last_message_at=self.now())
                    found = await self._translated(message)
                    await self.downlinks.hear(message.topic, message.payload, found)
                    await self._pass_on(connection, message, found)
        finally:
            # What is not acknowledged comes again, and is no copy of what was not settled.
            self.translator.end_all()

    async def _translated(self, message: UpstreamMessage) -> Translated:
        if message.too_large:
            found = Translated()
            size = f"{message.too_large:,} bytes, the limit is {MAX_MESSAGE:,}"
            found.refuse(f"{message.topic[:200]}: {size}", b"")
            return found
        try:
            return await self.translator.translate(
                message.topic, message.payload, self.now(), repeated=message.repeated
            )
        except OUTAGES:
            raise
        except Exception as error:  # a mistake of ours costs the message that shows it, and no other
            log.exception("message cannot be translated", source=self.source.name, topic=message.topic)
            return _refused(error, message)

    async def _look_for_overdue(self, connection: _Connection) -> None:
        while True:
            await asyncio.sleep(OVERDUE_EVERY_S)
            found = await self.translator.overdue(self.now())
            if found.elements or found.events or found.released:
                await self._pass_on(connection, None, found)

    async def _pass_on(
        self, connection: _Connection, message: UpstreamMessage | None, found: Translated
    ) -> None:
        self.step("translated")
        if found.undated:
            try:
                await self.remember(found.undated, False)
            except DATA_ERRORS as error:  # the message is at fault, and costs no other
                log.exception("message cannot be remembered", source=self.source.name)
                self.translator.end(found, {}, self.now())
                found = _refused(error, message)
        for event in found.events:
            if event.happening is Happening.REBIRTH:
                await connection.upstream.publish(*rebirth_request(event.device))
        sending = connection.tasks.create_task(self.relay.send(found.elements))
        for number in found.released:
            if (released := connection.held.pop(number, None)) is not None:
                sending.add_done_callback(partial(_release, released))
        one = _OnItsWay(message=message, found=found, sending=sending)
        if found.held is not None:
            one.released = connection.held[found.held] = asyncio.Event()
        await connection.waiting.put(one)

    async def _acknowledge(self, connection: _Connection) -> None:
        """Acknowledge in order; what is settled by the time is remembered in one go."""
        waiting = connection.waiting
        while True:
            settled = [await waiting.get()]
            await settled[0].done()
            while not waiting.empty() and waiting._queue[0].is_done:  # type: ignore[attr-defined]
                settled.append(waiting.get_nowait())
            self.step("settled")
            frames = [self.translator.settled(one.found, one.sending.result()) for one in settled]
            await self._remember_settled(dict(ChainMap(*reversed(frames))))
            self.step("remembered")
            for one, known in zip(settled, frames, strict=True):
                self.translator.end(one.found, known, self.now())
                self.counted += one.found.counted(one.sending.result(), self.now())
                if one.message is not None:
                    connection.upstream.acknowledge(one.message)
            self.step("acknowledged")

    async def _remember_settled(self, frames: dict[Frame, int]) -> None:
        try:
            if frames:
                await self.remember(frames, True)
        except DATA_ERRORS:  # all of it is committed: the worst is that a copy is not known as one
            log.exception("frames cannot be remembered", source=self.source.name)


def _release(released: asyncio.Event, sending: asyncio.Task[list[Outcome]]) -> None:
    """Tell what waited that it is committed, with the elements of what has released it."""
    if not sending.cancelled() and sending.exception() is None:
        released.set()


def _refused(error: Exception, message: UpstreamMessage | None) -> Translated:
    found = Translated()
    sent = b"" if message is None else message.payload
    found.refuse(f"a mistake of this version, please report it: {error!r}", sent)
    return found
