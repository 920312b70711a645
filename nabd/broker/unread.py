"""Topics of the broker that nobody reads: neither ingest nor, as commands and receipts, a device."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress

import aiomqtt

from devices.wire.topics import PREFIX, Channel

MOST_MESSAGES = 5_000
LISTEN_S = 2.0


def is_read(topic: str) -> bool:
    """Tell whether a topic has the form of ours: what is misspelt within it is refused, and so told."""
    levels = topic.split("/")
    return len(levels) == 6 and "/".join(levels[:2]) == PREFIX and levels[5] in [*Channel]


async def listen(connection: aiomqtt.Client, *, within_s: float = LISTEN_S) -> Counter[str]:
    """Return the topics on which something came that nobody reads, with how many messages.

    Listens on an open connection for so long, and for MOST_MESSAGES at most. Retained messages come at once;
    what the broker does not let us read is not seen.
    """
    found: Counter[str] = Counter()
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await connection.subscribe("#")
            heard = 0
            async for message in connection.messages:
                if not is_read(message.topic.value):
                    found[message.topic.value] += 1
                heard += 1
                if heard >= MOST_MESSAGES:
                    break
    return found
