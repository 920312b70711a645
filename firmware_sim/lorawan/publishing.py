"""A network server at its broker: every message in its order and time, until the broker has taken it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import aiomqtt

from firmware_sim.lorawan.plan import Delivery

AGAIN_S = 0.5
TIMEOUT_S = 5.0


async def publish(
    deliveries: Sequence[Delivery],
    *,
    host: str,
    port: int,
    name: str,
    now: Callable[[], int],
    taken: Callable[[Delivery, int], None],
) -> None:
    """Publish at QoS 1, one after the other, and return once all of it is taken.

    While the broker is away messages wait; what it may have taken before it went is published again.

    Args:
        now: microseconds since 1970.
        taken: told of each message, with the instant at which the broker had answered.
    """
    next_one = 0
    while next_one < len(deliveries):
        try:
            async with aiomqtt.Client(
                host, port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5, timeout=TIMEOUT_S
            ) as client:
                for delivery in deliveries[next_one:]:
                    await asyncio.sleep(max(0.0, (delivery.due - now()) / 1_000_000))
                    await client.publish(delivery.topic, delivery.payload, qos=1)
                    taken(delivery, now())
                    next_one += 1
        except aiomqtt.MqttError:
            await asyncio.sleep(AGAIN_S)
