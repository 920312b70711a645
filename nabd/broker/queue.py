"""How full the broker's queues are, from mosquitto's counters under $SYS.

Of a broker that publishes no such counters, or does not let us read them, this is unknown (None), not 0.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import aiomqtt

from api.metrics.platform import BrokerQueue
from devices.texts.translated import TranslatedText, say
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client
from nabd.settings import Settings

STORED = "$SYS/broker/store/messages/count"
RETAINED = "$SYS/broker/retained messages/count"
DROPPED = "$SYS/broker/publish/messages/dropped"
MEMORY = "$SYS/broker/heap/current"
VERSION = "$SYS/broker/version"
"""Never forgotten, unlike the counters of a mosquitto before 2.0.16."""
COUNTERS = (STORED, RETAINED, DROPPED, MEMORY)
RETRY_S = 5.0
NEXT_S = 12.0
"""In so many seconds a mosquitto says what has changed: `sys_interval` and a little. We are a change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLimits:
    """How many messages the broker can hold for ingest, how many bytes it may use; 0: without limit."""

    messages: int
    memory: int = 0


def limits_of(settings: Settings) -> BrokerLimits:
    """Return the limits that the settings say the broker has."""
    return BrokerLimits(messages=settings.broker_queue, memory=settings.broker_memory_mb * 2**20)


class BrokerCounters:
    """The counters as received; they are retained, and published again when they change.

    Mosquitto before 2.0.16 forgets one that has not changed for a minute: who comes later learns it at its
    next change.
    """

    def __init__(self, limits: BrokerLimits) -> None:
        self._limits = limits
        self._counts: dict[str, int] = {}
        self.mosquitto = False
        """Whether the broker has said that it is one."""

    @property
    def queue(self) -> BrokerQueue | None:
        """The queue; None until it is known how much the broker stores."""
        if STORED not in self._counts:
            return None
        # The broker's store also holds retained messages, such as presence: they do not wait for ingest.
        # As long as their number is not known they count as waiting: rather too many than too few.
        retained = self._counts.get(RETAINED)
        return BrokerQueue(
            queued=max(0, self._counts[STORED] - (retained or 0)),
            limit=self._limits.messages,
            dropped=self._counts.get(DROPPED),
            retained=retained,
            memory=self._counts.get(MEMORY),
            memory_limit=self._limits.memory,
        )

    def clear(self) -> None:
        """Drop all counters: the broker is away."""
        self._counts.clear()

    async def listen(self, connection: aiomqtt.Client, *, until_known: bool = False) -> None:
        """Receive counters on an open connection."""
        await connection.subscribe([(topic, 0) for topic in (VERSION, *COUNTERS)])
        async for message in connection.messages:
            if message.topic.value == VERSION:
                self.mosquitto = True
            elif isinstance(message.payload, bytes) and message.payload.isdigit():
                self._counts[message.topic.value] = int(message.payload)
            if until_known and len(self._counts) == len(COUNTERS):
                return


class QueueWatch:
    """Receives the counters as long as it runs, through outages of the broker."""

    def __init__(self, broker: BrokerAddress, limits: BrokerLimits) -> None:
        self._broker = broker
        self._counters = BrokerCounters(limits)

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


async def ask(
    connection: aiomqtt.Client, limits: BrokerLimits, *, within_s: float = 2.0
) -> BrokerQueue | None:
    """Return the queue by the counters of an open connection; None where there are none in time."""
    counters = BrokerCounters(limits)
    listening = asyncio.create_task(counters.listen(connection, until_known=True))
    try:
        await asyncio.wait({listening}, timeout=within_s)
        until = asyncio.get_running_loop().time() + NEXT_S
        while counters.queue is None and counters.mosquitto and asyncio.get_running_loop().time() < until:
            await asyncio.wait({listening}, timeout=0.2)
        if listening.done():
            listening.result()  # the connection may have failed
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return counters.queue


def near_limit(queue: BrokerQueue) -> TranslatedText:
    """Return the sentence that a queue is near its limit, for operators."""
    if not queue.is_large or queue.is_full:
        return say("check.broker_full", queued=queue.queued, most=queue.limit)
    used, most = round((queue.memory or 0) / 2**20), round(queue.memory_limit / 2**20)
    if queue.retained is None:
        return say("check.broker_large", used=used, most=most)
    return say("check.broker_retains", used=used, most=most, retained=queue.retained)
