"""A network server at its broker: every message in its order and time, until the broker has taken it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

import aiomqtt

from devices.kinds import Kinds
from firmware_sim.lorawan.plan import Delivery, PlannedFrame
from firmware_sim.publish_log import PublishLine, digest

QUIET = logging.getLogger(__name__)
"""A broker that goes away is waited for: nobody need read of it."""
QUIET.setLevel(logging.CRITICAL)
AGAIN_S = 0.5
TIMEOUT_S = 5.0
_ACCEPTED = 0x00


D = TypeVar("D", bound=Delivery)


async def publish(
    deliveries: Iterable[D],
    *,
    host: str,
    port: int,
    name: str,
    now: Callable[[], int],
    taken: Callable[[D, int], None],
    speed: float = 1.0,
    stop: asyncio.Event | None = None,
) -> None:
    """Publish at QoS 1, one after the other, and return once all of it is taken, or `stop` is set.

    While the broker is away messages wait; what it may have taken before it went is published again.

    Args:
        now: microseconds since 1970.
        taken: told of each message, with the instant at which the broker had answered.
        speed: how many times faster than the wall's the clock of `now` runs.
        stop: nothing is published any more once it is set; what is on its way is waited for.
    """
    stopped = stop or asyncio.Event()
    waiting = iter(deliveries)
    delivery = next(waiting, None)
    while delivery is not None and not stopped.is_set():
        client = aiomqtt.Client(
            host, port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5, timeout=TIMEOUT_S, logger=QUIET
        )
        try:
            async with client:
                while delivery is not None and not await _comes_first(
                    stopped, (delivery.due - now()) / 1_000_000 / speed
                ):
                    await client.publish(delivery.topic, delivery.payload, qos=1)
                    taken(delivery, now())
                    delivery = next(waiting, None)
                return
        except aiomqtt.MqttError:
            await asyncio.sleep(AGAIN_S)
        finally:
            # A connection lost while nobody waits for messages leaves an exception that asyncio would tell.
            lost = client._disconnected
            if lost.done() and not lost.cancelled():
                lost.exception()


async def _comes_first(stop: asyncio.Event, seconds: float) -> bool:
    """Wait so long at most; tell whether it is to stop."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await stop.wait()
    return stop.is_set()


def line_of(delivery: Delivery, at: int, planned: PlannedFrame, kinds: Kinds) -> PublishLine:
    """Return what is logged of a frame that the broker had taken at an instant."""
    return PublishLine(
        topic=delivery.topic,
        device=planned.device.eui,
        kind=planned.device.model.kind,
        observed_at=planned.observed_at,
        ts=planned.observed_at,
        clock="right",
        boot=None,
        seq=planned.frame.counter,
        hash=digest(kinds[planned.device.model.kind], planned.values),
        values=dict(planned.values),
        published_at=delivery.due,
        acked_at=at,
        puback=_ACCEPTED,
        bad=None,
        repeat=False,
    )
