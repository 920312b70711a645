"""One publisher: a device on its own link, or a gateway with the devices that it relays.

Joins electronics, outbox and link; decides what a PUBACK, a receipt and a command mean.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import numpy as np

from devices.wire.topics import Channel, Topic
from firmware_sim.link import Link, SimulatorBroker
from firmware_sim.member import Member
from firmware_sim.outbox import Outbox, QueuedReading, payload
from firmware_sim.physics.model import SECOND, CommandAnswer
from firmware_sim.publish_log import PublishLine, PublishLog
from firmware_sim.updating import Downloads, update

NO_SUBSCRIBERS = 0x10
_FAILURE = 0x80
_RECEIPT_WAIT_S = 20.0
_ANSWER_WAIT_S = 20.0
_SETTLED, _UNSENT = -1, -2
"""In place of the packet of a report: it was taken, or it has not left."""


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


class Receipt(msgspec.Struct):
    """What a receipt lists: settled counters of one device and boot."""

    device: str
    boot: int
    seq: list[tuple[int, int]]


class ReceivedConfig(msgspec.Struct):
    """What a device is to be set to; kept by the broker."""

    version: int
    set: dict[str, object] = {}


class ReceivedCommand(msgspec.Struct):
    """What a device is asked to do."""

    id: str
    name: str
    args: dict[str, object] = {}
    expires_at: str | float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationContext:
    """What every station shares."""

    broker: SimulatorBroker
    now: Callable[[], int]
    log: PublishLog
    counts: Counts
    downloads: Downloads | None
    hurry: Callable[[Member], None]


def accepted(code: int) -> bool:
    """Tell whether a PUBACK reason means that the broker took the message on."""
    return code < _FAILURE and code != NO_SUBSCRIBERS


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
        self._updates: dict[str, asyncio.Task[None]] = {}
        self._config_version = 0
        self._refused: dict[str, str] = {}
        self._report_mid = _SETTLED
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
        if self._report_mid != _SETTLED and self.link.up:
            self._report()
        stuck = asyncio.get_running_loop().time() - self._flight.sent_s > _ANSWER_WAIT_S
        if self.outbox.in_flight and stuck:
            self.link.drop()
        self.pump()

    def link_up(self) -> None:
        """Send what has waited."""
        self._around.counts.connected += 1
        self._report()
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
        if mid == self._report_mid and accepted(code):
            self._report_mid = _SETTLED
        if mid != self._flight.mid or not self.outbox.in_flight:
            return
        self._note(self.outbox.in_flight, code=code)
        if accepted(code):
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
                receipt = msgspec.json.decode(payload, type=Receipt)
                self._around.counts.receipts += self.outbox.settle(receipt.device, receipt.boot, receipt.seq)
            elif topic.endswith(f"/{Channel.COMMAND}"):
                self._command(msgspec.json.decode(payload, type=ReceivedCommand))
            elif topic.endswith(f"/{Channel.CONFIG}") and payload:
                self._configure(msgspec.json.decode(payload, type=ReceivedConfig))
        except msgspec.DecodeError:
            return

    def _command(self, command: ReceivedCommand) -> None:
        self._around.counts.commands += 1
        member = self._members.get(self._topic.device)
        if _expired(command.expires_at, self._around.now()):
            self._answer(command, CommandAnswer(status="rejected", detail="expired"))
        elif member is None:
            self._answer(command, CommandAnswer(status="rejected", detail="a gateway obeys no command"))
        elif command.name == "update_firmware":
            self._begin_update(command, member)
        elif member.device.electronics.obeys and (wait_s := member.device.electronics.obeys_after_s):
            self._answer(command, CommandAnswer(status="accepted"))
            loop = asyncio.get_running_loop()
            loop.call_later(wait_s / self._around.broker.speed, self._carry_out, command, member)
        else:
            self._carry_out(command, member)

    def _begin_update(self, command: ReceivedCommand, member: Member) -> None:
        if command.id in self._updates:
            return  # it came twice
        downloads = self._around.downloads
        if downloads is None or not member.device.electronics.obeys:
            self._answer(command, CommandAnswer(status="rejected", detail="cannot be updated from afar"))
            return
        self._updates[command.id] = asyncio.create_task(self._update(command, member, downloads))

    async def _update(self, command: ReceivedCommand, member: Member, downloads: Downloads) -> None:
        def say(answer: CommandAnswer) -> None:
            self._answer(command, answer)

        version = await update(member.device.name, member.device.kind, command.args, downloads, say)
        if version is not None:
            member.updated(self._around.now(), version)
            self._around.hurry(member)
            self._report()

    def close(self) -> None:
        """Give up what is still being fetched."""
        for task in self._updates.values():
            task.cancel()

    def _carry_out(self, command: ReceivedCommand, member: Member) -> None:
        answer = member.obey(self._around.now(), command.id, command.name, command.args)
        self._around.hurry(member)
        self._answer(command, answer)

    def _answer(self, command: ReceivedCommand, answer: CommandAnswer) -> None:
        said = {"id": command.id, "status": answer.status}
        more = {"detail": answer.detail} if answer.detail else {}
        result = {"result": dict(answer.result)} if answer.result else {}
        self.link.publish(
            str(self._topic.on(Channel.RESPONSE)), msgspec.json.encode({**said, **more, **result})
        )

    def _configure(self, config: ReceivedConfig) -> None:
        member = self._members.get(self._topic.device)
        if member is None or config.version == self._config_version:
            return
        self._refused = member.configure(self._around.now(), config.set)
        self._config_version = config.version
        self._around.hurry(member)
        self._report()

    def _report(self) -> None:
        """Say what it is set to: whenever it connects, after each change, and until somebody takes it."""
        member = self._members.get(self._topic.device)
        if member is not None and member.device.relay is None:
            said = {
                "config": member.configured,
                "refused": self._refused,
                "version": self._config_version,
                "firmware": member.firmware,
            }
            mid = self.link.publish(str(self._topic.on(Channel.REPORTED)), msgspec.json.encode(said))
            self._report_mid = _UNSENT if mid is None else mid


def _expired(expires_at: str | float | None, now: int) -> bool:
    if expires_at is None:
        return False
    if isinstance(expires_at, str):
        try:
            at = msgspec.convert(expires_at, datetime).timestamp() * SECOND
        except msgspec.ValidationError:
            return True
        return at < now
    scale = 1 if expires_at >= 1e14 else 1_000 if expires_at >= 1e11 else SECOND
    return expires_at * scale < now
