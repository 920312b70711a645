"""What the two Python peers share: a persistent aiomqtt session, and a payload as rows."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from devices.wire.topics import Channel, every

QUIET_S = 10.0
"""When nothing has come for so long, nothing will."""
ANSWER_S = 60.0
"""A busy machine must not cost all that was measured before."""


@dataclass(slots=True)
class PeerTiming:
    """When the first message came and the last commit was done, in seconds of the monotonic clock."""

    messages: int = 0
    first: float = 0.0
    last: float = 0.0
    cpu_s: float = 0.0

    def committed(self) -> None:
        """Take note of a commit."""
        self.last = time.monotonic()

    def as_json(self) -> dict[str, Any]:
        """Return what the program prints."""
        return asdict(self)


async def subscribed(
    host: str, port: int, name: str, messages: int, outcome: PeerTiming
) -> AsyncIterator[aiomqtt.Message]:
    """Yield what the session holds; with `messages` 0 make the session and leave."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    async with aiomqtt.Client(
        host,
        port,
        identifier=name,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=properties,
        timeout=ANSWER_S,
    ) as client:
        await client.subscribe(every(Channel.TELEMETRY), qos=1)
        incoming = aiter(client.messages)
        while outcome.messages < messages:
            try:
                message = await asyncio.wait_for(anext(incoming), QUIET_S)
            except TimeoutError:
                return
            if not outcome.messages:
                outcome.first, outcome.cpu_s = time.monotonic(), -time.process_time()
            outcome.messages += 1
            yield message
        outcome.cpu_s += time.process_time()


def rows(message: aiomqtt.Message) -> Iterator[tuple[str, int, str]]:
    """Yield topic, microseconds and JSON text of each reading in a message."""
    assert isinstance(message.payload, bytes)
    decoded = json.loads(message.payload)
    for reading in decoded if isinstance(decoded, list) else [decoded]:
        yield str(message.topic), reading["ts"], json.dumps(reading)
