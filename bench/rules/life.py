"""The messages of simulated devices over months: sampled, delayed, held back while a link is lost, repeated.

Stands between a device's electronics (firmware_sim.member) and the platform, in the place of link and
broker. Knows no rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.faults import FaultLine
from firmware_sim.member import Member
from firmware_sim.outbox import MOST_BYTES, MOST_ELEMENTS, SimulatedReading
from firmware_sim.physics.model import SECOND, generator
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import Town

PLATFORM_DELAY_S = 5.0
"""What the platform may take to notice a silence: a sweep, and a message under way."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it reaches the platform. `received_at`: microseconds."""

    received_at: int
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Presence:
    """What the broker says of a device's connection from an instant on (microseconds)."""

    at: int
    device: str
    online: bool


class Collected:
    """A sink of labelled faults: a list."""

    def __init__(self) -> None:
        self.lines: list[FaultLine] = []

    def write(self, line: FaultLine) -> None:
        """Keep one fault."""
        self.lines.append(line)


class Carrier:
    """One device with its link. `until` yields messages in the order in which they arrive."""

    def __init__(
        self,
        device: SimulatedDevice,
        town: Town,
        start: int,
        faults: Collected,
        has_power: Callable[[int], bool] = lambda now: True,
    ) -> None:
        self.member = Member(device, town, start, faults, PLATFORM_DELAY_S)
        self.member.on_link = self._switch
        self._rng: np.random.Generator = generator(town.seed, "carrier", device.name)
        self._down = False
        self._waiting: list[SimulatedReading] = []
        self._flush_at: int | None = None
        self._arrived = 0
        self._has_power = has_power
        self._powered = True
        self._line_rng: np.random.Generator = generator(town.seed, "line", device.name)
        self._leaves_at: int | None = None
        self._online = True
        self._presence: list[Presence] = []

    def until(self, end: int) -> Iterator[Message]:
        """Live until `end`, not included."""
        while self.member.due < end:
            now = self.member.due
            readings = self._powered_on(now, self.member.tick(now))
            self._note_presence(now)
            if self._down:
                self._waiting += readings
            elif self._flush_at is not None:
                self._waiting += readings
                if now >= self._flush_at:
                    yield from self._flush(now)
            else:
                for reading in readings:
                    yield from self._send(now, reading.topic, reading.element, reading)

    def _powered_on(self, now: int, readings: list[SimulatedReading]) -> list[SimulatedReading]:
        """Return what is sent: without power nothing, and what waits is lost; with it the device boots."""
        powered, before = self._has_power(now), self._powered
        self._powered = powered
        if not powered:
            self._waiting.clear()
            return []
        if not before:
            self.member.obey(now, f"power-{now}", "reboot", {})
        return readings

    def _note_presence(self, now: int) -> None:
        """Note that the broker gave a connection up, one and a half keep-alives after its last word."""
        away = self._down or not self._powered or self.member.stands_still
        if away and self._leaves_at is None:
            self._leaves_at = now + round(float(self._line_rng.uniform(60.0, 135.0)) * SECOND)
        if self._online and self._leaves_at is not None and self._leaves_at <= now:
            self._online = False
            self._presence.append(Presence(self._leaves_at, self.member.device.name, online=False))
        if not away:
            self._leaves_at = None
            if not self._online:
                self._online = True
                back = now + round(float(self._line_rng.uniform(0.5, 8.0)) * SECOND)
                self._presence.append(Presence(back, self.member.device.name, online=True))

    def connections(self) -> list[Presence]:
        """Return and forget what the broker has seen of its connection."""
        seen, self._presence = self._presence, []
        return seen

    def close(self, end: int) -> None:
        """Label what still holds."""
        self.member.close(end)

    def _switch(self, down: bool) -> None:
        now = self.member.due
        self._down = down
        self._flush_at = None if down else now + round(float(self._rng.uniform(0.5, 8.0)) * SECOND)

    def _flush(self, now: int) -> Iterator[Message]:
        """Send what has waited, oldest first, in arrays as long as the contract allows."""
        waiting, self._waiting, self._flush_at = self._waiting, [], None
        for batch in _batches(waiting):
            elements = [reading.element for reading in batch]
            payload = elements[0] if len(batch) == 1 else b"[" + b",".join(elements) + b"]"
            yield from self._send(now, batch[0].topic, payload, batch[0])

    def _send(self, now: int, topic: str, payload: bytes, reading: SimulatedReading) -> Iterator[Message]:
        at = max(self._arrived + 1, now + round(float(self._rng.uniform(0.03, 0.8)) * SECOND))
        self._arrived = at
        yield Message(at, topic, payload)
        if reading.bad is None and reading.clock == "right" and self.member.resends():
            self._arrived = at + round(float(self._rng.uniform(0.001, 0.1)) * SECOND)
            yield Message(self._arrived, topic, payload)


def _batches(waiting: Sequence[SimulatedReading]) -> Iterator[list[SimulatedReading]]:
    batch: list[SimulatedReading] = []
    size = 0
    for reading in waiting:
        length = len(reading.element) + 1
        full = len(batch) == MOST_ELEMENTS or size + length > MOST_BYTES or reading.alone
        if batch and (full or batch[-1].alone):
            yield batch
            batch, size = [], 0
        batch.append(reading)
        size += length
    if batch:
        yield batch
