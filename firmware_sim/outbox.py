"""Readings that wait: for the link, for a PUBACK, for a receipt.

Pure store-and-forward of one publisher, oldest first. Knows no MQTT and no clock; times are arguments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from firmware_sim.physics.model import Value
from firmware_sim.publish_log import Clock, hash_of

MOST_ELEMENTS = 1000
MOST_BYTES = 60_000
"""Below the contract's 65,536, so that brackets and commas never matter."""
CAPACITY = 50_000
"""Readings that a device's memory holds."""

Key = tuple[str, int, int]
"""Device, boot, seq: how a receipt names a reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedReading:
    """One reading as it goes on the wire, with what the publish log must know of it.

    `derived`: what the platform may fill in. `alone` readings are never sent in an array; `receipt` ones wait
    for the platform's receipt.
    """

    topic: str
    device: str
    kind: str
    observed_at: int | None
    ts: int | str | None
    clock: Clock
    values: dict[str, Value]
    element: bytes
    derived: frozenset[str] = frozenset()
    boot: int | None = None
    seq: int | None = None
    bad: str | None = None
    alone: bool = False
    receipt: bool = False

    @property
    def hash(self) -> str:
        """The hash of its values; made only for the publish log, for it takes longer than all else here."""
        return hash_of(self.values, self.derived)


@dataclass(slots=True, kw_only=True)
class QueuedReading:
    """A reading in the outbox; `repeat` once an earlier attempt may have been stored."""

    reading: SimulatedReading
    repeat: bool = False
    tries: int = 0
    resend_at: int = 0


def payload(batch: Sequence[QueuedReading]) -> bytes:
    """Return the message of a batch: one object, or an array of several."""
    if len(batch) == 1:
        return batch[0].reading.element
    return b"[" + b",".join(w.reading.element for w in batch) + b"]"


class Outbox:
    """One message at a time is in flight; what was not accepted goes back to the front."""

    def __init__(self) -> None:
        self._queue: deque[QueuedReading] = deque()
        self._unsettled: dict[Key, QueuedReading] = {}
        self.in_flight: list[QueuedReading] = []
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue) + len(self.in_flight)

    @property
    def unsettled(self) -> int:
        """Readings accepted by the broker that still wait for a receipt."""
        return len(self._unsettled)

    def add(self, reading: SimulatedReading) -> None:
        """Keep a new reading; the oldest gives way when memory is full."""
        if len(self._queue) >= CAPACITY:
            self._queue.popleft()
            self.dropped += 1
        self._queue.append(QueuedReading(reading=reading))

    def take(self) -> list[QueuedReading]:
        """Move the oldest readings of one topic into flight and return them; empty when none may go."""
        if self.in_flight or not self._queue:
            return []
        size, first = 0, self._queue[0].reading
        while self._queue and len(self.in_flight) < MOST_ELEMENTS:
            reading = self._queue[0].reading
            apart = reading.alone or first.alone or reading.topic != first.topic
            if self.in_flight and (apart or size + len(reading.element) > MOST_BYTES):
                break
            size += len(reading.element) + 1
            self.in_flight.append(self._queue.popleft())
        return self.in_flight

    def accepted(self, resend_at: int) -> list[QueuedReading]:
        """The broker has the batch: forget it, or keep it until its receipt comes."""
        batch, self.in_flight = self.in_flight, []
        for waiting in batch:
            if waiting.reading.receipt and len(self._unsettled) < CAPACITY:
                waiting.resend_at = resend_at
                self._unsettled[_key(waiting.reading)] = waiting
        return batch

    def refused(self) -> list[QueuedReading]:
        """The broker did not accept the batch: it goes back to the front, in order."""
        batch, self.in_flight = self.in_flight, []
        self._queue.extendleft(reversed(batch))
        return batch

    def lost(self) -> list[QueuedReading]:
        """The link broke with a batch in flight: send it again, it may have been stored."""
        batch = self.refused()
        for waiting in batch:
            waiting.repeat = True
        return batch

    def repeat(self, waiting: QueuedReading) -> None:
        """Send something again that was accepted before."""
        again = QueuedReading(reading=waiting.reading, repeat=True, tries=waiting.tries + 1)
        self._queue.append(again)

    def settle(self, device: str, boot: int, ranges: Sequence[Sequence[int]]) -> int:
        """Forget what a receipt lists; return how many readings that were."""
        listed = [
            key
            for key in self._unsettled
            if key[0] == device and key[1] == boot and any(a <= key[2] <= b for a, b in ranges)
        ]
        for key in listed:
            del self._unsettled[key]
        return len(listed)

    def resend_overdue(self, now: int) -> int:
        """Queue again what has waited too long for its receipt; return how many readings."""
        overdue = [key for key, waiting in self._unsettled.items() if waiting.resend_at <= now]
        for key in overdue:
            self.repeat(self._unsettled.pop(key))
        return len(overdue)


def _key(reading: SimulatedReading) -> Key:
    return (reading.device, reading.boot or 0, reading.seq or 0)
