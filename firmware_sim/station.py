"""One publisher: a device on its own link, or a gateway with the devices that it relays.

Joins electronics, outbox and link; decides what a PUBACK, a receipt and a command mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from devices.wire.channels import NotUnderstood, receipt_of
from devices.wire.reasons import is_taken
from devices.wire.topics import Channel, Topic
from firmware_sim.link import Link, SimulatorBroker
from firmware_sim.member import Member
from firmware_sim.obeying import Controls, ReceivedCommand, ReceivedConfig
from firmware_sim.outbox import Outbox, QueuedReading, payload
from firmware_sim.physics.model import SECOND
from firmware_sim.publish_log import PublishLine, PublishLog
from firmware_sim.updating import Downloads

_RECEIPT_WAIT_S = 20.0
_ANSWER_WAIT_S = 20.0


@dataclass(slots=True, kw_only=True)
class Counts:
    """Readings so far; `refused` were not accepted by the broker and are sent again.

    published: attempts that reached a link. acked: attempts that the broker accepted. lost: attempts
    whose answer never came. waiting: in outboxes now. unsettled: accepted, waiting for a receipt.
    """

    published: int = 0
    acked: int = 0
    refused: int = 0
    lost: int = 0
    repeats: int = 0
    bad: int = 0
    commands: int = 0
    receipts: int = 0
    dropped: int = 0
    waiting: int = 0
    unsettled: int = 0
    connected: int = 0
    faults: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StationContext:
    """What every station shares."""

    broker: SimulatorBroker
    now: Callable[[], int]
    log: PublishLog
    counts: Counts
    downloads: Downloads | None
    hurry: Callable[[Member], None]


@dataclass(slots=True)
class _Flight:
    """The one message whose answer is awaited."""

    mid: int = -1
    published_at: int = 0
    sent_s: float = field(default=0.0)


class Station:
    """A link, an outbox, and the members that report through them."""

    def __init__(
        self, topic: Topic, members: list[Member], around: StationContext, rng: np.random.Generator
    ) -> None:
        self._topic = topic
        self._members: Mapping[str, Member] = {m.device.name: m for m in members}
        self._around = around
        self._rng = rng
        self._flight = _Flight()
        self._refusals = 0
        self._retry: asyncio.TimerHandle | None = None
        self.outbox = Outbox()
        self.link = Link(
            topic.device,
            broker=around.broker,
            presence=str(topic.on(Channel.PRESENCE)),
            subscriptions=[
                str(topic.on(channel)) for channel in (Channel.COMMAND, Channel.RECEIPT, Channel.CONFIG)
            ],
            owner=self,
            rng=rng,
        )
        self._controls = Controls(topic, self._members.get(topic.device), around, self.link.publish)
        for member in members:
            member.on_link = self._switch_link

    def _switch_link(self, down: bool) -> None:
        if down:
            self.link.cut()
        else:
            self.link.restore()

    def pump(self) -> None:
        """Send the oldest readings when the link is up and nothing is in flight or put off."""
        if not self.link.up or self._retry is not None:
            return
        batch = self.outbox.take()
        if not batch:
            return
        at = self._around.now()
        mid = self.link.publish(batch[0].reading.topic, payload(batch))
        if mid is None:
            self.outbox.refused()
            return
        self._flight = _Flight(mid, at, asyncio.get_running_loop().time())
        self._around.counts.published += len(batch)

    def look_after(self) -> None:
        """Resend what waits too long for a receipt; break a link that no longer answers."""
        self.outbox.resend_overdue(self._around.now())
        if self.link.up:
            self._controls.report_again()
        stuck = asyncio.get_running_loop().time() - self._flight.sent_s > _ANSWER_WAIT_S
        if self.outbox.in_flight and stuck:
            self.link.drop()
        self.pump()

    def link_up(self) -> None:
        """Send what has waited."""
        self._around.counts.connected += 1
        self._controls.report()
        self.pump()

    def link_down(self) -> None:
        """Nobody knows whether the message in flight was stored."""
        self._around.counts.connected -= 1
        batch = list(self.outbox.in_flight)
        self._note(batch, code=None)
        self._around.counts.lost += len(batch)
        self._flight = _Flight()
        self.outbox.lost()

    def answered(self, mid: int, code: int) -> None:
        """Forget, keep for a receipt, or keep for another try; then send the next."""
        if is_taken(code):
            self._controls.taken(mid)
        if mid != self._flight.mid or not self.outbox.in_flight:
            return
        self._note(self.outbox.in_flight, code=code)
        if is_taken(code):
            self._refusals = 0
            self._accepted()
            self.pump()
            return
        self._around.counts.refused += len(self.outbox.refused())
        self._refusals += 1
        longest = min(120.0, 2.0 ** min(self._refusals, 10))
        wait = float(self._rng.uniform(0.5, longest)) / self._around.broker.speed
        self._retry = asyncio.get_running_loop().call_later(wait, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self.pump()

    def _accepted(self) -> None:
        tries = max(w.tries for w in self.outbox.in_flight)
        wait_s = _RECEIPT_WAIT_S * self._around.broker.speed * 2.0 ** min(tries, 6)
        batch = self.outbox.accepted(self._around.now() + round(wait_s * SECOND))
        self._around.counts.acked += len(batch)
        for waiting in batch:
            reading = waiting.reading
            resendable = not waiting.repeat and reading.bad is None and reading.clock == "right"
            if resendable and self._members[reading.device].resends():
                self.outbox.repeat(waiting)

    def _note(self, batch: list[QueuedReading], *, code: int | None) -> None:
        around, now = self._around, self._around.now()
        for waiting in batch:
            reading = waiting.reading
            around.counts.repeats += waiting.repeat
            around.counts.bad += reading.bad is not None
            around.log.write(
                PublishLine(
                    topic=reading.topic,
                    device=reading.device,
                    kind=reading.kind,
                    observed_at=reading.observed_at,
                    ts=reading.ts,
                    clock=reading.clock,
                    boot=reading.boot,
                    seq=reading.seq,
                    hash=reading.hash,
                    values=reading.values,
                    published_at=self._flight.published_at,
                    acked_at=None if code is None else now,
                    puback=code,
                    bad=reading.bad,
                    repeat=waiting.repeat,
                )
            )

    def heard(self, topic: str, payload: bytes) -> None:
        """Take a receipt or a command; anything else is not for us."""
        try:
            if topic.endswith(f"/{Channel.RECEIPT}"):
                receipt = receipt_of(payload)
                self._around.counts.receipts += self.outbox.settle(receipt.device, receipt.boot, receipt.seq)
            elif topic.endswith(f"/{Channel.COMMAND}"):
                self._around.counts.commands += 1
                self._controls.obey(msgspec.json.decode(payload, type=ReceivedCommand))
            elif topic.endswith(f"/{Channel.CONFIG}") and payload:
                self._controls.configure(msgspec.json.decode(payload, type=ReceivedConfig))
        except (msgspec.DecodeError, NotUnderstood):
            return

    def close(self) -> None:
        """Give up what is still being fetched."""
        self._controls.close()
