"""The broker's counters as they come: some of them late, or never."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import aiomqtt

from nabd.broker.queue import (
    DROPPED,
    MEMORY,
    RETAINED,
    STORED,
    VERSION,
    BrokerCounters,
    BrokerLimits,
    ask,
    near_limit,
)

LIMITS = BrokerLimits(messages=100, memory=4096 * 2**20)


class Told:
    """A connection on which the broker says certain counters and no more."""

    def __init__(self, *, changes_after_s: float | None = None, **counters: int) -> None:
        self._changes_after_s = changes_after_s
        names = {"stored": STORED, "retained": RETAINED, "dropped": DROPPED, "memory": MEMORY}
        self._counters = {names[name]: count for name, count in counters.items()}

    async def subscribe(self, topics: Any) -> None:
        """Take any subscription."""

    @property
    def messages(self) -> AsyncIterator[aiomqtt.Message]:
        """What comes: from a mosquitto its version first, and counters at their next change."""
        return self._say()

    async def _say(self) -> AsyncIterator[aiomqtt.Message]:
        if self._changes_after_s is not None:
            yield aiomqtt.Message(VERSION, b"mosquitto version 2.0.11", 0, True, 1, None)
            await asyncio.sleep(self._changes_after_s)
        for topic, count in self._counters.items():
            yield aiomqtt.Message(topic, str(count).encode(), 0, True, 1, None)


class Mute(Told):
    """A connection on which nothing ever comes."""

    async def _say(self) -> AsyncIterator[aiomqtt.Message]:
        await asyncio.Event().wait()
        yield aiomqtt.Message(VERSION, b"", 0, True, 1, None)


async def heard(**counters: int) -> BrokerCounters:
    """Return the counters after what the broker says."""
    found = BrokerCounters(LIMITS)
    await found.listen(cast(aiomqtt.Client, Told(**counters)))
    return found


async def test_queue_is_known_as_soon_as_the_store_is() -> None:
    assert (await heard(retained=3, dropped=0)).queue is None
    queue = (await heard(stored=60)).queue

    assert queue is not None
    assert (queue.queued, queue.dropped, queue.retained, queue.memory) == (60, None, None, None)
    assert queue.is_near_limit


async def test_what_is_retained_does_not_wait_once_its_number_is_known() -> None:
    queue = (await heard(stored=60, retained=20, dropped=0, memory=2**20)).queue

    assert queue is not None
    assert queue.queued == 40
    assert not queue.is_near_limit


async def test_broker_that_has_filled_half_of_its_memory_is_told() -> None:
    queue = await ask(cast(aiomqtt.Client, Told(stored=310, retained=300, dropped=0, memory=2**31)), LIMITS)

    assert queue is not None
    assert queue.is_near_limit
    assert (
        near_limit(queue)
        .in_language("en")
        .startswith("uses 2,048 MiB of memory, 300 messages as the last of their topics; at 4,096")
    )


async def test_mosquitto_that_has_forgotten_its_counters_is_asked_until_they_change() -> None:
    forgetful = Told(changes_after_s=0.2, stored=60, retained=20, memory=2**20)

    queue = await ask(cast(aiomqtt.Client, forgetful), LIMITS, within_s=0.05)

    assert queue is not None
    assert (queue.queued, queue.dropped) == (40, None)


async def test_broker_that_is_no_mosquitto_is_not_waited_for() -> None:
    async with asyncio.timeout(5):
        assert await ask(cast(aiomqtt.Client, Mute()), LIMITS, within_s=0.05) is None
