"""What stands in for the platform in these tests: a subscriber that remembers, and a fleet under way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec

from devices import kinds
from devices.wire.topics import Channel, every, parse
from firmware_sim.fleet import Fleet
from firmware_sim.link import SimulatorBroker as Address
from firmware_sim.physics.model import SECOND
from firmware_sim.publish_log import PublishLine
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import Town, make_town
from tests.brokers import Broker

NOON = 1_781_517_600 * SECOND


@dataclass(slots=True)
class Heard:
    """Everything that devices said, in order of arrival: (device that published, payload)."""

    client: aiomqtt.Client
    telemetry: list[tuple[str, bytes]] = field(default_factory=list)
    presence: list[tuple[str, str]] = field(default_factory=list)
    responses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def listen(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            topic = parse(str(message.topic))
            match topic.channel:
                case Channel.TELEMETRY:
                    self.telemetry.append((topic.device, message.payload))
                case Channel.PRESENCE:
                    self.presence.append((topic.device, message.payload.decode()))
                case Channel.REPORTED:
                    self.reports[topic.device] = msgspec.json.decode(message.payload)
                case _:
                    self.responses.append((topic.device, msgspec.json.decode(message.payload)))

    def elements(self, device: str) -> list[dict[str, Any]]:
        """Return every well-formed element a device sent, in order."""
        found: list[dict[str, Any]] = []
        for name, payload in self.telemetry:
            if name == device:
                with contextlib.suppress(msgspec.DecodeError):
                    decoded = msgspec.json.decode(payload)
                    found += decoded if isinstance(decoded, list) else [decoded]
        return found


@contextlib.asynccontextmanager
async def platform(broker: Broker) -> AsyncIterator[Heard]:
    """Subscribe like the platform does, and remember."""
    async with aiomqtt.Client(
        broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5, identifier="platform"
    ) as client:
        heard = Heard(client)
        for channel in (Channel.TELEMETRY, Channel.PRESENCE, Channel.RESPONSE, Channel.REPORTED):
            await client.subscribe(every(channel), 1)
        listening = asyncio.create_task(heard.listen())
        try:
            yield heard
        finally:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
                await listening


@dataclass(slots=True)
class Running:
    """A fleet under way and its two logs."""

    fleet: Fleet
    publish_log: Path
    fault_log: Path

    def published(self) -> list[PublishLine]:
        """Return the publish log so far; complete once the fleet has stopped."""
        return [
            msgspec.json.decode(line, type=PublishLine)
            for line in self.publish_log.read_bytes().splitlines(keepends=True)
            if line.endswith(b"\n")
        ]


@contextlib.asynccontextmanager
async def fleet(town: Town, broker: Broker, directory: Path, *, speed: float = 1.0) -> AsyncIterator[Running]:
    """Run a town until the block ends, then drain it."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    publish_log, fault_log = directory / "publish.jsonl", directory / "faults.jsonl"
    running = Fleet(
        town,
        broker=Address(host=broker.host, port=broker.port, speed=speed),
        now=lambda: NOON + round((loop.time() - begun) * speed * SECOND),
        publish_log=publish_log,
        fault_log=fault_log,
    )
    stop = asyncio.Event()
    task = asyncio.create_task(running.run(stop))
    try:
        yield Running(running, publish_log, fault_log)
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await task


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    """Wait for a condition with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  conditions of another process have no event
            await asyncio.sleep(0.02)


def town(**numbers: Any) -> Town:
    """Return a small town without chance faults."""
    settings: dict[str, Any] = {"bins": 20, "lights": 4, "drones": 1, "interval_cap_s": 5.0}
    return make_town(7, kinds.load(), **(settings | {"fault_mean_days": 0.0} | numbers))


def only(name: str, **changes: Any) -> Town:
    """Return a town of one device, changed as told and with nothing planned for it."""
    whole = town()
    device: SimulatedDevice = next(d for d in whole.devices if d.name == name)
    calm: dict[str, Any] = {"parent": None, "relay": None, "opening": ()}
    return replace(whole, devices=(replace(device, **(calm | changes)),), strangers=())
