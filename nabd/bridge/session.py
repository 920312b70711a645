"""One source, heard until cancelled: its messages translated, relayed, and acknowledged in their order.

A message is acknowledged once everything that it says is committed and remembered. Whatever goes wrong with a
source is its state, and nobody else's.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiomqtt
import structlog

from devices.codecs.codec import CodecsAway
from devices.instants import Now
from devices.relay import Outcome, Relay
from devices.sources.source import Source
from devices.sources.states import Counted, Frame
from devices.sources.translation import Translated, Translator
from devices.wire.adapters.formats import Happening
from devices.wire.adapters.formats.sparkplug import rebirth_request
from nabd.bridge.upstream import SubscriptionRefused, Upstream, UpstreamMessage, connected
from nabd.broker.address import BrokerAddress

AT_ONCE = 500
"""Messages on their way at once; the broker waits with more."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LASTED_S = 60.0
"""A connection that lasted so long was a good one: the next attempt comes at once."""
OVERDUE_EVERY_S = 1.0
OUTAGES = (aiomqtt.MqttError, SubscriptionRefused, CodecsAway, OSError, ssl.SSLError, TimeoutError)

log = structlog.get_logger(__name__)

Step = Callable[[str], None]
Remember = Callable[[dict[Frame, int]], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class _OnItsWay:
    """A message, what it became, and what becomes of that; message: None for what was held back."""

    message: UpstreamMessage | None
    found: Translated
    sending: asyncio.Task[list[Outcome]]


@dataclass(slots=True, kw_only=True, repr=False)
class SourceSession:
    """Hears one source while `run` runs.

    remember: stores frames, for as long as that takes. ours: our own broker, where the source names no other.
    connected, reason, counted: how it goes, to be said; counted begins anew whenever it is taken.
    """

    source: Source
    secret: str
    ours: BrokerAddress
    relay: Relay
    translator: Translator
    remember: Remember
    now: Now
    step: Step = lambda _: None
    connected: bool = False
    reason: str = "not connected yet"
    counted: Counted = field(default_factory=Counted)

    async def run(self) -> None:
        """Stay connected until cancelled; an outage is logged when it begins and when it ends."""
        pause = FIRST_PAUSE_S
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            try:
                async with connected(self.source, self.secret, self.ours) as upstream:
                    self._tell(connected=True)
                    await self._serve(upstream)
            except* OUTAGES as group:
                self._tell(connected=False, reason=_said(group))
            pause = FIRST_PAUSE_S if clock() - began > LASTED_S else min(pause * 2, LONGEST_PAUSE_S)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter

    def take_counts(self) -> Counted:
        """Return what was counted since this was asked last."""
        counted, self.counted = self.counted, Counted()
        return counted

    def _tell(self, *, connected: bool, reason: str = "") -> None:
        if reason and (self.connected or reason != self.reason):
            log.warning("source cannot be heard", source=self.source.name, reason=reason)
        elif connected and not self.connected:
            log.info("source is heard", source=self.source.name)
        self.connected, self.reason = connected, reason

    async def _serve(self, upstream: Upstream) -> None:
        waiting: asyncio.Queue[_OnItsWay] = asyncio.Queue(AT_ONCE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._acknowledge(upstream, waiting))
            tasks.create_task(self._look_for_overdue(upstream, waiting, tasks))
            async for message in upstream.messages():
                self._count(messages=1, last_message_at=self.now())
                await self._pass_on(upstream, waiting, tasks, message, await self._translated(message))

    async def _translated(self, message: UpstreamMessage) -> Translated:
        try:
            return await self.translator.translate(
                message.topic, message.payload, self.now(), repeated=message.repeated
            )
        except OUTAGES:
            raise
        except Exception as error:  # a mistake of ours costs the message that shows it, and no other
            log.exception("message cannot be translated", source=self.source.name, topic=message.topic)
            found = Translated()
            found.refuse(f"a mistake of this version, please report it: {error!r}", message.payload)
            return found

    async def _look_for_overdue(
        self, upstream: Upstream, waiting: asyncio.Queue[_OnItsWay], tasks: asyncio.TaskGroup
    ) -> None:
        while True:
            await asyncio.sleep(OVERDUE_EVERY_S)
            found = await self.translator.overdue(self.now())
            if found.elements or found.events:
                await self._pass_on(upstream, waiting, tasks, None, found)

    async def _pass_on(
        self,
        upstream: Upstream,
        waiting: asyncio.Queue[_OnItsWay],
        tasks: asyncio.TaskGroup,
        message: UpstreamMessage | None,
        found: Translated,
    ) -> None:
        self.step("translated")
        if found.undated:
            await self.remember(found.undated)
        for event in found.events:
            if event.happening is Happening.REBIRTH:
                await upstream.publish(*rebirth_request(event.device))
        sending = tasks.create_task(self.relay.send(found.elements))
        await waiting.put(_OnItsWay(message=message, found=found, sending=sending))

    async def _acknowledge(self, upstream: Upstream, waiting: asyncio.Queue[_OnItsWay]) -> None:
        """Acknowledge in order; what is settled by the time is remembered in one go."""
        while True:
            settled = [await waiting.get()]
            await settled[0].sending
            while not waiting.empty() and waiting._queue[0].sending.done():  # type: ignore[attr-defined]
                settled.append(waiting.get_nowait())
            self.step("settled")
            frames: dict[Frame, int] = {}
            for one in settled:
                frames |= self.translator.settled(one.found, one.sending.result())
            if frames:
                await self.remember(frames)
            self.step("remembered")
            for one in settled:
                self._count_outcomes(one.found, one.sending.result())
                if one.message is not None:
                    upstream.acknowledge(one.message)
            self.step("acknowledged")

    def _count_outcomes(self, found: Translated, outcomes: Sequence[Outcome]) -> None:
        rejected = sum(not outcome.settled for outcome in outcomes)
        self._count(readings=len(outcomes) - rejected, rejected=rejected, copies=found.copies)

    def _count(self, *, last_message_at: int | None = None, **more: int) -> None:
        old = self.counted
        self.counted = Counted(
            messages=old.messages + more.get("messages", 0),
            readings=old.readings + more.get("readings", 0),
            rejected=old.rejected + more.get("rejected", 0),
            copies=old.copies + more.get("copies", 0),
            last_message_at=old.last_message_at if last_message_at is None else last_message_at,
        )


def _said(group: BaseExceptionGroup[Any]) -> str:
    """Return what a group of outages says, as one line."""
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first) or type(first).__name__
