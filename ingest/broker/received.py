"""What a session has received and nobody has taken yet; and what any kind of session is to the service.

Must not know what messages mean.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devices.wire import packed
from devices.wire.packed import PackedPayloads, pack
from devices.wire.topics import Channel
from ingest.broker import topics
from ingest.broker.bound import MOST_ELEMENTS, fitting
from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake
from ingest.broker.topics import Topics, TopicTable

BUFFER_LIMIT = 8 * 1024 * 1024
"""Bytes not yet taken, topics and properties included, above which nothing more is read."""
HEARD = (Channel.TELEMETRY, Channel.PRESENCE, Channel.RESPONSE, Channel.REPORTED)
"""The channels that ingest hears."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReceivedMessages:
    """n messages that came together, `size` bytes with topics and properties.

    packet_ids: (n,) int64, 0 of a message that wants no acknowledgement. received_at: microseconds.
    """

    topics: Topics
    payloads: PackedPayloads
    packet_ids: NDArray[np.int64]
    received_at: int
    size: int

    def __len__(self) -> int:
        return len(self.topics)

    def divided(self, n: int) -> tuple[ReceivedMessages, ReceivedMessages]:
        """Return the first n messages and the rest, each with its share of the bytes."""
        size = self.size * n // len(self)
        return self._some(slice(n), size), self._some(slice(n, None), self.size - size)

    def _some(self, which: slice, size: int) -> ReceivedMessages:
        return ReceivedMessages(
            topics=self.topics[which],
            payloads=self.payloads[which],
            packet_ids=self.packet_ids[which],
            received_at=self.received_at,
            size=size,
        )


class MessageQueue:
    """Messages received and not yet taken; `size` is their bytes."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: deque[ReceivedMessages] = deque()
        self._count = 0
        self._table = TopicTable()

    def __len__(self) -> int:
        return self._count

    @property
    def table(self) -> TopicTable:
        """The topics heard; a new one begins when it is full, for messages that come from then on."""
        if self._table.full:
            self._table = TopicTable()
        return self._table

    def together(
        self,
        *,
        topics: Sequence[str],
        payloads: Sequence[bytes],
        packet_ids: Sequence[int],
        received_at: int,
        size: int,
    ) -> ReceivedMessages:
        """Return messages that came together; packet id 0: it wants no acknowledgement."""
        table = self.table
        numbers = np.array([table.number(topic) for topic in topics], dtype=np.int32)
        unnumbered = {i: topics[i] for i in np.flatnonzero(numbers < 0).tolist()}
        return ReceivedMessages(
            topics=Topics(table.names, numbers, unnumbered),
            payloads=pack(payloads),
            packet_ids=np.array(packet_ids, dtype=np.int64),
            received_at=received_at,
            size=size,
        )

    def append(self, part: ReceivedMessages) -> None:
        """Add messages that came together, one at least."""
        self._parts.append(part)
        self._count += len(part)
        self.size += part.size

    def take(self, limit: int, after: int, connection: object) -> Intake | None:
        """Take up to `limit` messages; their receive times are greater than `after`."""
        if not self._parts:
            return None
        names = self._parts[0].topics.names
        n, room = 0, MOST_ELEMENTS
        for part in self._parts:
            if part.topics.names is not names:
                break
            fits, elements = fitting(part.payloads, room)
            n, room = n + fits, room - elements
            if fits < len(part) or n >= limit:
                break
        n = max(1, min(n, limit))
        taken: list[ReceivedMessages] = []
        while n:
            part = self._parts.popleft()
            if len(part) > n:
                part, rest = part.divided(n)
                self._parts.appendleft(rest)
            taken.append(part)
            n -= len(part)
        self._count -= sum(map(len, taken))
        self.size -= sum(part.size for part in taken)
        packet_ids = np.concatenate([part.packet_ids for part in taken])
        received_at = np.repeat([part.received_at for part in taken], [len(part) for part in taken])
        return Intake(
            topics=topics.joined([part.topics for part in taken]),
            payloads=packed.joined([part.payloads for part in taken]),
            received_at=increasing(received_at, after),
            packet_ids=packet_ids[packet_ids > 0].tolist(),
            connection=connection,
        )


def increasing(received_at: NDArray[np.int64], after: int) -> NDArray[np.int64]:
    """Return receive times each greater than the one before, 1 microsecond apart where they were not."""
    steps = np.arange(len(received_at), dtype=np.int64)
    return np.maximum(np.maximum.accumulate(received_at - steps), after + 1) + steps


class BrokerSession(Protocol):
    """A connection that messages come from, and acknowledgements go back on: of MQTT, or of JetStream."""

    hearing: Hearing
    waiting: MessageQueue
    arrived: asyncio.Event
    lost: asyncio.Future[str]
    taken_over: bool

    @property
    def resumed(self) -> bool:
        """Whether the broker knew us, and kept messages."""

    def hear(self, hearing: Hearing) -> None:
        """Hear other municipalities from now on."""

    def take(self, limit: int, after: int) -> Intake | None:
        """Take up to `limit` messages; their receive times are greater than `after`."""

    def has_emptied(self) -> bool:
        """Tell whether the broker held nothing more for us a moment ago; ask while all is acknowledged."""

    def acknowledge(self, packet_ids: list[int]) -> None:
        """Tell the broker that messages of this connection are committed."""

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        """Send messages at QoS 0."""

    async def keep_alive(self) -> None:
        """Do what keeps the connection alive, until it is lost."""

    def close(self) -> None:
        """Disconnect; the broker keeps what it holds for us."""

    async def closed(self) -> None:
        """Wait, not for long, until what was said before `close` is sent."""
