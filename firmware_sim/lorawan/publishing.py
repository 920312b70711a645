"""A network server at its broker: every message in its order and time, until the broker has taken it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import aiomqtt

from firmware_sim.lorawan.plan import Delivery

QUIET = logging.getLogger(__name__)
"""A broker that goes away is waited for: nobody need read of it."""
QUIET.setLevel(logging.CRITICAL)
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
        client = aiomqtt.Client(
            host, port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5, timeout=TIMEOUT_S, logger=QUIET
        )
        try:
            async with client:
                for delivery in deliveries[next_one:]:
                    await asyncio.sleep(max(0.0, (delivery.due - now()) / 1_000_000))
                    await client.publish(delivery.topic, delivery.payload, qos=1)
                    taken(delivery, now())
                    next_one += 1
        except aiomqtt.MqttError:
            await asyncio.sleep(AGAIN_S)
        finally:
            # A connection lost while nobody waits for messages leaves an exception that asyncio would tell.
            lost = client._disconnected
            if lost.done() and not lost.cancelled():
                lost.exception()
