"""Network servers as the bridge meets them: a broker with what ChirpStack or The Things Stack says."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from uuid import uuid4

import aiomqtt

from devices import profiles
from devices.commands.answered import SentCommand, get_command
from devices.commands.new_command import new_command
from devices.commands.queue import enqueue
from devices.registry.registry import get_device
from devices.sources.downlinks import prepared
from store.audit import PLATFORM
from tests.brokers import Mosquitto
from tests.integration.bridge.conftest import EUI, Bridged, register, say
from tests.integration.bridge.test_bridge import chirpstack, heard, level
from tests.integration.ingest.conftest import KINDS, Town
from tests.waiting import eventually, now

PROFILE = "milesight-em310-udl"


@dataclass
class NetworkServer:
    """What a network server was handed, and what it says of a device."""

    TAKES: ClassVar[str]
    broker: Mosquitto
    client: aiomqtt.Client
    pushed: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def take(self, topic: str, said: dict[str, Any]) -> None:
        """Take what was published."""
        self.pushed.append((topic, said))

    async def hear(self) -> None:
        async for message in self.client.messages:
            assert isinstance(message.payload, bytes)
            self.take(str(message.topic), json.loads(message.payload))

    async def has(self, count: int) -> None:
        async def enough() -> bool:
            return len(self.pushed) >= count

        await eventually(enough)


@dataclass
class ChirpStack(NetworkServer):
    """Keeps downlinks by their ids: one that waits is refused, one that was sent is forgotten.

    queue: what waits. refused: ids that waited already. sent: how often each id was sent.
    """

    TAKES = "application/+/device/+/command/+"
    PLACE: ClassVar = f"application/7b1c/device/{EUI.lower()}"
    queue: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)

    def take(self, topic: str, said: dict[str, Any]) -> None:
        super().take(topic, said)
        if said["id"] in self.queue:
            self.refused.append(said["id"])
        else:
            self.queue[said["id"]] = said

    async def event(self, name: str, place: str = PLACE, **said: Any) -> None:
        """Say something of a device."""
        event = {"time": datetime.now(UTC).isoformat(), "deviceInfo": {"devEui": EUI.lower()}, **said}
        await say(self.broker, (f"{place}/event/{name}", event))

    async def send(self) -> None:
        """Send what waits to the device, and say so."""
        for one in [*self.queue]:
            del self.queue[one]
            self.sent[one] += 1
            await self.event("txack", queueItemId=one)


@dataclass
class ThingsStack(NetworkServer):
    """Takes whatever is pushed as another downlink."""

    TAKES = "v3/+/devices/+/down/push"
    PLACE: ClassVar = "v3/bins@tripoli/devices/bin-1"

    async def message(self, name: str, place: str = PLACE, **said: Any) -> None:
        """Say something of a device."""
        ids = {"device_id": "bin-1", "dev_eui": EUI}
        at = datetime.now(UTC).isoformat()
        await say(self.broker, (f"{place}/{name}", {"end_device_ids": ids, "received_at": at, **said}))


Server = TypeVar("Server", bound=NetworkServer)


@asynccontextmanager
async def serving(server: type[Server], broker: Mosquitto) -> AsyncIterator[Server]:
    """A network server at a broker."""
    protocol = aiomqtt.ProtocolVersion.V5
    async with aiomqtt.Client(broker.host, broker.port, identifier="server", protocol=protocol) as client:
        await client.subscribe(server.TAKES, qos=1)
        running = server(broker=broker, client=client)
        hearing = asyncio.create_task(running.hear())
        try:
            yield running
        finally:
            hearing.cancel()
            await asyncio.wait([hearing])


async def tell(
    town: Town, name: str, after_s: float | None = None, device: str = EUI, **args: Any
) -> SentCommand:
    """Give a command to a device, as people do."""
    told = await get_device(town.connection, device)
    new = new_command(
        told,
        KINDS["bin"],
        name,
        args,
        id=uuid4(),
        now=now,
        expires_after_s=300 if after_s is None else after_s,
    )
    known = profiles.load(KINDS)
    new = await prepared(town.connection, new, known, now, patient=after_s is None)
    await enqueue(town.connection, [new], now, by=PLATFORM)
    return await get_command(town.connection, new.id)


async def stands(town: Town, command: SentCommand, status: str, detail: str | None) -> SentCommand:
    """Wait until a command stands so."""

    async def so() -> SentCommand | None:
        found = await get_command(town.connection, command.id)
        return found if (found.status, found.detail) == (status, detail) else None

    try:
        found: SentCommand = await eventually(so, within=15)
    except AssertionError:
        present = await get_command(town.connection, command.id)
        raise AssertionError(f"{present.status}: {present.detail}") from None
    return found


async def add(bridged: Bridged, foreign: Mosquitto, format: str, **more: Any) -> None:  # noqa: A002
    """Add a source with device EUI."""
    await bridged.add("lora", foreign, format, profile=PROFILE, **more)
    await register(bridged.town, EUI, "lora")
    await heard(bridged, "lora")


def chirpstack_up() -> tuple[str, object]:
    """Return an uplink of ChirpStack, with its topic."""
    return f"{ChirpStack.PLACE}/event/up", chirpstack(1, level(2116), datetime.now(UTC))


async def learned(town: Town, say_it: Callable[[], Awaitable[None]]) -> None:
    """Let a device be heard until the bridge, which reads the registry now and then, knows where."""

    async def known() -> bool:
        await say_it()
        return bool(await town.connection.fetchval("SELECT count(*) FROM downlink_topic"))

    await eventually(known)


def uplink() -> dict[str, Any]:
    """Return an uplink of The Things Stack."""
    return {"f_port": 85, "f_cnt": 1, "frm_payload": base64.b64encode(level(2116)).decode()}
