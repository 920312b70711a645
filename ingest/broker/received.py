"""What a session has received and nobody has taken yet; and what any kind of session is to the service.

Must not know what messages mean.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from devices.wire.topics import Channel
from ingest.broker.bound import fitting, not_objects
from ingest.broker.hearing import Hearing
from ingest.broker.intake import Intake

BUFFER_LIMIT = 8 * 1024 * 1024
"""Bytes not yet taken, topics and properties included, above which nothing more is read."""
HEARD = (Channel.TELEMETRY, Channel.PRESENCE, Channel.RESPONSE, Channel.REPORTED)
"""The channels that ingest hears."""


@dataclass(slots=True)
class ReceivedMessages:
    """Messages received and not yet taken; `size` is their bytes, in equal shares.

    sizes, others: of each payload its bytes, and which may hold more than one element. Both are found out as
    messages arrive: later each of them would have to be fetched from memory again.
    """

    topics: list[str] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    packet_ids: list[int] = field(default_factory=list)
    received_at: list[int] = field(default_factory=list)
    size: int = 0
    sizes: list[int] = field(default_factory=list)
    others: list[int] = field(default_factory=list)

    def add(
        self,
        *,
        topics: list[str],
        payloads: list[bytes],
        packet_ids: list[int],
        received_at: int,
        size: int,
    ) -> None:
        """Add messages that came together; packet id 0: it wants no acknowledgement."""
        before = len(self.payloads)
        self.topics += topics
        self.payloads += payloads
        self.sizes += map(len, payloads)
        self.others += [before + i for i in not_objects(payloads)]
        self.packet_ids += packet_ids
        self.received_at += [received_at] * len(payloads)
        self.size += size

    def take(self, limit: int, after: int, connection: object) -> Intake | None:
        """Take up to `limit` messages; their receive times are greater than `after`."""
        if not self.topics:
            return None
        n = fitting(self.payloads[:limit], self.others[: bisect_left(self.others, limit)])
        others = self.others[: bisect_left(self.others, n)]
        intake = Intake(
            topics=self.topics[:n],
            payloads=self.payloads[:n],
            received_at=increasing(np.array(self.received_at[:n], dtype=np.int64), after),
            packet_ids=[i for i in self.packet_ids[:n] if i],
            connection=connection,
            sizes=self.sizes[:n],
            others=others,
        )
        for rest in (self.topics, self.payloads, self.packet_ids, self.received_at, self.sizes):
            del rest[:n]
        self.others = [i - n for i in self.others[len(others) :]]
        left = len(self.topics)
        self.size = self.size * left // (left + n)
        return intake


def increasing(received_at: NDArray[np.int64], after: int) -> NDArray[np.int64]:
    """Return receive times each greater than the one before, 1 microsecond apart where they were not."""
    steps = np.arange(len(received_at), dtype=np.int64)
    return np.maximum(np.maximum.accumulate(received_at - steps), after + 1) + steps


class BrokerSession(Protocol):
    """A connection that messages come from, and acknowledgements go back on: of MQTT, or of JetStream."""

    hearing: Hearing
    waiting: ReceivedMessages
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
