"""What the broker says of its queues, before they are full: mosquitto's own counters under $SYS.

A broker that publishes no such counters, or does not let us read them, says nothing, which is not 0.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import aiomqtt

from api.metrics.platform import BrokerQueue
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client

STORED = "$SYS/broker/store/messages/count"
RETAINED = "$SYS/broker/retained messages/count"
DROPPED = "$SYS/broker/publish/messages/dropped"
RETRY_S = 5.0


class BrokerCounters:
    """The counters as they come in; retained, and published again when they change."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}

    @property
    def queue(self) -> BrokerQueue | None:
        """What is known; None until the broker has said it all."""
        if not {STORED, RETAINED, DROPPED} <= set(self._counts):
            return None
        # The store holds retained messages too: the last wills of a fleet are no backlog.
        queued = max(0, self._counts[STORED] - self._counts[RETAINED])
        return BrokerQueue(queued=queued, limit=self._limit, dropped=self._counts[DROPPED])

    def clear(self) -> None:
        """Forget everything: the broker is away."""
        self._counts.clear()

    async def listen(self, connection: aiomqtt.Client, *, until_known: bool = False) -> None:
        """Take in what an open connection brings."""
        await connection.subscribe([(topic, 0) for topic in (STORED, RETAINED, DROPPED)])
        async for message in connection.messages:
            if isinstance(message.payload, bytes) and message.payload.isdigit():
                self._counts[message.topic.value] = int(message.payload)
            if until_known and self.queue is not None:
                return


class QueueWatch:
    """Keeps listening, through outages of the broker."""

    def __init__(self, broker: BrokerAddress, limit: int) -> None:
        self._broker = broker
        self._counters = BrokerCounters(limit)

    def queue(self) -> BrokerQueue | None:
        """Return what the broker said last; None where it says nothing, or is away."""
        return self._counters.queue

    async def run(self) -> None:
        """Listen until cancelled. That the broker is away is for others to tell."""
        while True:
            with suppress(OSError, aiomqtt.MqttError):
                async with client(self._broker) as connection:
                    await self._counters.listen(connection)
            self._counters.clear()
            await asyncio.sleep(RETRY_S)


async def ask(connection: aiomqtt.Client, limit: int, *, within_s: float = 2.0) -> BrokerQueue | None:
    """Return what an open connection says at once; None where it says nothing."""
    counters = BrokerCounters(limit)
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await counters.listen(connection, until_known=True)
    return counters.queue


def said(queue: BrokerQueue) -> str:
    """Return a near limit in words for operators."""
    return (
        f"holds {queue.queued:,} messages that ingest has not fetched; at {queue.limit:,} it drops what comes"
        " next: see to ingest and the database"
    )
