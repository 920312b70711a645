"""A test fleet that loses nothing of its own: QoS 1 on MQTT 5, resent until the broker has answered.

Many devices on few connections, thousands of readings a second. Everything said is remembered, with the
broker's answer, so that a checker can hold the tables against it. Knows nothing of ingest.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self, cast

import mqtt5
import msgspec

from devices import kinds
from devices.kinds.kind import Kind
from firmware_sim.publish_log import Clock, PublishLine, digest

KIND: Kind = kinds.load()["bin"]
MUNICIPALITY = "tripoli"
NO_SUBSCRIBERS = 0x10
SECOND = 1_000_000
RESEND_S = 2.0
"""How long a receipt may take before its reading is sent again."""


def topic_of(
    device: str, channel: str = "telemetry", kind: str = KIND.name, municipality: str = MUNICIPALITY
) -> str:
    """Return a device's topic."""
    return f"nabd/v1/{municipality}/{kind}/{device}/{channel}"


@dataclass(slots=True, kw_only=True)
class Said:
    """One reading, and what came back for it; `codes` are the reason codes of every PUBACK, in order."""

    topic: str
    payload: bytes
    device: str
    boot: int | None
    seq: int | None
    ts: int
    observed_at: int
    hash: str
    clock: Clock = "right"
    bad: str | None = None
    published_at: int = 0
    tries: int = 0
    codes: list[int] = field(default_factory=list)
    receipt: bool = False
    settled_at: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the broker took it over at least once."""
        return 0 in self.codes

    def line(self) -> PublishLine:
        """Return it as the checker reads it."""
        return PublishLine(
            topic=self.topic, device=self.device, kind=KIND.name,
            observed_at=self.observed_at if self.clock == "right" else None,
            ts=self.ts, clock=self.clock, boot=self.boot, seq=self.seq, hash=self.hash, values={},
            published_at=self.published_at, acked_at=None, puback=0 if self.accepted else None,
            bad=self.bad, repeat=self.tries > 1,
        )  # fmt: skip


class Speaker(asyncio.Protocol):
    """One connection of the fleet; connects again for as long as it is told to speak."""

    def __init__(self, port: int, name: str, *, window: int, receipts: bool, random: Random) -> None:
        self.port, self.name = port, name
        self.window, self.receipts = window, receipts
        self.queue: deque[Said] = deque()
        self.in_flight: dict[int, Said] = {}
        self.unsettled: dict[tuple[str, int, int], tuple[Said, float]] = {}
        self.connections = 0
        self._random = random
        self._transport: asyncio.Transport | None = None
        self._up = False
        self._tail = b""
        self._next_id = 0
        self._lost = asyncio.Event()
        self._paused = False

    @property
    def idle(self) -> bool:
        """Whether nothing waits for an answer, a receipt or its turn."""
        return not (self.queue or self.in_flight or self.unsettled)

    async def run(self) -> None:
        """Keep connected until cancelled."""
        loop = asyncio.get_running_loop()
        resending = asyncio.create_task(self._resend())
        try:
            while True:
                self._lost.clear()
                try:
                    async with asyncio.timeout(5):
                        await loop.create_connection(lambda: self, "127.0.0.1", self.port)
                except (OSError, TimeoutError):
                    await asyncio.sleep(self._random.uniform(0.05, 0.3))
                    continue
                await self._lost.wait()
                await asyncio.sleep(self._random.uniform(0.0, 0.2))
        finally:
            resending.cancel()
            if self._transport is not None:
                self._transport.abort()

    async def _resend(self) -> None:
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            overdue = [key for key, (_, at) in self.unsettled.items() if at < now]
            for key in overdue:
                self.queue.append(self.unsettled.pop(key)[0])
            self.pump()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves; what was in flight is ours to say again, so the session starts clean."""
        self._transport = cast(asyncio.Transport, transport)
        self._tail, self._paused = b"", False
        connect = mqtt5.ConnectPacket(self.name, clean_start=True, keep_alive=60)
        self._transport.write(connect.write())

    def connection_lost(self, exc: Exception | None) -> None:
        """Take back what was not answered, oldest first."""
        self._up = False
        self.queue.extendleft(reversed(self.in_flight.values()))
        self.in_flight.clear()
        self._lost.set()

    def pause_writing(self) -> None:
        """The network is slower than we are."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has caught up."""
        self._paused = False
        self.pump()

    def drop(self) -> None:
        """Break the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take answers and receipts."""
        data = self._tail + data
        view, offset = memoryview(data), 0
        try:
            while offset < len(data):
                packet, length = mqtt5.read(view[offset:])
                offset += length
                self._take(packet)
        except IndexError:
            pass
        self._tail = data[offset:]
        self.pump()

    def _take(self, packet: mqtt5.Packet) -> None:
        match packet:
            case mqtt5.PubAckPacket():
                self._answered(packet.packet_id, int(packet.reason_code))
            case mqtt5.PublishPacket():
                self._receipt(bytes(packet.payload))
            case mqtt5.ConnAckPacket():
                assert self._transport is not None
                if self.receipts:
                    filters = [mqtt5.TopicFilter(topic_of("+", "receipt"), max_qos=mqtt5.QoS.AT_LEAST_ONCE)]
                    self._transport.write(mqtt5.SubscribePacket(1, filters).write())
                self._up = True
                self.connections += 1
            case _:
                pass

    def _answered(self, packet_id: int, code: int) -> None:
        said = self.in_flight.pop(packet_id, None)
        if said is None:
            return
        said.codes.append(code)
        if code >= 0x80 or code == NO_SUBSCRIBERS:
            asyncio.get_running_loop().call_later(0.1, self._again, said)
        elif self.receipts and not said.receipt and said.boot is not None and said.seq is not None:
            key = (said.device, said.boot, said.seq)
            self.unsettled[key] = (said, time.monotonic() + RESEND_S)

    def _again(self, said: Said) -> None:
        self.queue.appendleft(said)
        self.pump()

    def _receipt(self, payload: bytes) -> None:
        said = msgspec.json.decode(payload)
        for first, last in said["seq"]:
            for seq in range(first, last + 1):
                waiting = self.unsettled.pop((said["device"], said["boot"], seq), None)
                if waiting is not None:
                    waiting[0].receipt = True
                    waiting[0].settled_at = time.time_ns() // 1000

    def pump(self) -> None:
        """Send what the window allows, in one write."""
        if not self._up or self._paused or self._transport is None:
            return
        packets = []
        while self.queue and len(self.in_flight) < self.window:
            said = self.queue.popleft()
            if said.receipt:
                continue
            self._next_id = self._next_id % 65_535 + 1
            while self._next_id in self.in_flight:
                self._next_id = self._next_id % 65_535 + 1
            said.tries += 1
            said.published_at = said.published_at or time.time_ns() // 1000
            self.in_flight[self._next_id] = said
            packets.append(
                mqtt5.PublishPacket(
                    said.topic, said.payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=self._next_id,
                    duplicate=False,
                ).write()
            )  # fmt: skip
        if packets:
            self._transport.write(b"".join(packets))


class Fleet:
    """Devices that observe and speak; `said` is everything they ever put into words.

    Readings of one device go through one connection in order, observed one second apart from `since` on.
    """

    def __init__(
        self,
        port: int,
        devices: Sequence[str],
        *,
        seed: int,
        since: int,
        connections: int = 4,
        window: int = 200,
        receipts: bool = False,
        name: str = "fleet",
        municipality: str = MUNICIPALITY,
    ) -> None:
        self.municipality = municipality
        self.random = Random(seed)
        self.devices = list(devices)
        self.said: list[Said] = []
        self.speakers = [
            Speaker(port, f"{name}-{i}", window=window, receipts=receipts, random=Random(seed + i))
            for i in range(connections)
        ]
        self._since = since
        self._boot = self.random.randrange(1, 1000)
        self._seq = dict.fromkeys(devices, 0)
        self._fill = {device: self.random.uniform(20, 80) for device in devices}
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(speaker.run()) for speaker in self.speakers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def say(self, readings: int) -> None:
        """Put so many readings, device after device, into the outbox."""
        for _ in range(readings):
            n = len(self.said)
            device = self.devices[n % len(self.devices)]
            self.push(self.observe(device), n % len(self.devices))
        for speaker in self.speakers:
            speaker.pump()

    def push(self, said: Said, device: int = 0) -> None:
        """Put one reading into the outbox of its device's connection."""
        self.said.append(said)
        self.speakers[device % len(self.speakers)].queue.append(said)

    def observe(self, device: str) -> Said:
        """Make a device's next reading: its bin fills, and is emptied now and then."""
        seq = self._seq[device]
        self._seq[device] += 1
        fill = self._fill[device] + self.random.uniform(-2, 8)
        self._fill[device] = fill = 5.0 if fill > 105 else fill
        values = {
            "fill_pct": round(min(max(fill, 0.0), 100.0), 2),
            "battery_v": 3.6,
            "lid_open": seq % 7 == 0,
        }
        at = self._since + seq * SECOND
        return make(device, at, values, boot=self._boot, seq=seq, municipality=self.municipality)

    async def talk(self, seconds: float, rate: int) -> None:
        """Speak for some time at a steady rate of readings a second."""
        started, said = time.monotonic(), 0
        while (elapsed := time.monotonic() - started) < seconds:
            due = int(elapsed * rate)
            self.say(due - said)
            said = due
            await asyncio.sleep(0.02)

    @property
    def idle(self) -> bool:
        """Whether everything said was answered, and receipted where receipts are wanted."""
        return all(speaker.idle for speaker in self.speakers)

    @property
    def connections(self) -> int:
        """How often a connection came up."""
        return sum(speaker.connections for speaker in self.speakers)

    async def answered(self, within: float = 60.0) -> None:
        """Wait until everything said was taken over."""
        deadline = time.monotonic() + within
        while not (self.idle and all(said.codes for said in self.said)):
            waiting = sum(len(s.queue) + len(s.in_flight) + len(s.unsettled) for s in self.speakers)
            assert time.monotonic() < deadline, f"{waiting} readings still wait for an answer"
            await asyncio.sleep(0.02)

    def lines(self) -> list[PublishLine]:
        """Return everything said, for the checker."""
        return [said.line() for said in self.said]


def make(
    device: str,
    observed_at: int,
    values: dict[str, Any],
    *,
    boot: int | None = None,
    seq: int | None = None,
    clock: Clock = "right",
    ahead: int = 0,
    municipality: str = MUNICIPALITY,
) -> Said:
    """Return a reading of the device's own instant; its clock shows `ahead` microseconds more."""
    ts = (observed_at + ahead) // 1000
    numbers = {} if boot is None else {"boot": boot, "seq": seq}
    return Said(
        topic=topic_of(device, municipality=municipality), device=device,
        payload=msgspec.json.encode({"ts": ts, **numbers, **values}),
        boot=boot, seq=seq, ts=ts, observed_at=observed_at // 1000 * 1000, hash=digest(KIND, values),
        clock=clock,
    )  # fmt: skip
