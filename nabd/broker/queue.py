"""How full the broker's queues are, from mosquitto's counters under $SYS.

Of a broker that publishes no such counters, or does not let us read them, this is unknown (None), not 0.
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
    """The counters as received; they are retained, and published again when they change."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[str, int] = {}

    @property
    def queue(self) -> BrokerQueue | None:
        """The queue; None until every counter has been received."""
        if not {STORED, RETAINED, DROPPED} <= set(self._counts):
            return None
        # The broker's store also holds retained messages, such as presence: they do not wait for ingest.
        queued = max(0, self._counts[STORED] - self._counts[RETAINED])
        return BrokerQueue(queued=queued, limit=self._limit, dropped=self._counts[DROPPED])

    def clear(self) -> None:
        """Drop all counters: the broker is away."""
        self._counts.clear()

    async def listen(self, connection: aiomqtt.Client, *, until_known: bool = False) -> None:
        """Receive counters on an open connection."""
        await connection.subscribe([(topic, 0) for topic in (STORED, RETAINED, DROPPED)])
        async for message in connection.messages:
            if isinstance(message.payload, bytes) and message.payload.isdigit():
                self._counts[message.topic.value] = int(message.payload)
            if until_known and self.queue is not None:
                return


class QueueWatch:
    """Receives the counters as long as it runs, through outages of the broker."""

    def __init__(self, broker: BrokerAddress, limit: int) -> None:
        self._broker = broker
        self._counters = BrokerCounters(limit)

    def queue(self) -> BrokerQueue | None:
        """Return the queue by the last counters; None where there are none, or the broker is away."""
        return self._counters.queue

    async def run(self) -> None:
        """Run until cancelled. An outage of the broker is not logged here: readiness reports it."""
        while True:
            with suppress(OSError, aiomqtt.MqttError):
                async with client(self._broker) as connection:
                    await self._counters.listen(connection)
            self._counters.clear()
            await asyncio.sleep(RETRY_S)


async def ask(connection: aiomqtt.Client, limit: int, *, within_s: float = 2.0) -> BrokerQueue | None:
    """Return the queue by the counters of an open connection; None where there are none in time."""
    counters = BrokerCounters(limit)
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await counters.listen(connection, until_known=True)
    return counters.queue


def said(queue: BrokerQueue) -> str:
    """Return the sentence that a queue is near its limit, for operators."""
    return (
        f"holds {queue.queued:,} messages that ingest has not fetched; at {queue.limit:,} it drops what comes"
        " next: see to ingest and the database"
    )
