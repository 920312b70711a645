"""A town, ingest on our broker, and a second broker that speaks for foreign devices."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from devices.codecs.pool import Codecs
from devices.profiles.files import ProfileFiles
from devices.registry.registration import NewDevice, add_devices
from devices.sources.listing import get_source
from devices.sources.registration import add_source
from devices.sources.source import NewSource, Source
from devices.sources.translation import ALL
from nabd.bridge.process import Bridge
from nabd.bridge.session import Step
from nabd.broker.address import BrokerAddress
from notify.channels.public_address import listed
from store.audit import PLATFORM
from store.pool import open_pool
from tests.brokers import Mosquitto
from tests.integration.ingest.conftest import KINDS, Town
from tests.integration.ingest.conftest import town as town
from tests.parts import need_mosquitto
from tests.waiting import now

EUI = "24E124136A000001"


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Mosquitto]:
    """Another's broker, which tests may stop and start."""
    need_mosquitto()
    directory = tmp_path / "foreign"
    directory.mkdir()
    with Mosquitto(directory, persistent=True) as broker:
        yield broker


@dataclass
class Bridged:
    """The town and what it hears of others."""

    town: Town
    bridge: Bridge
    counter: int = 0
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def add(self, name: str, broker: Mosquitto | None, format: str, **more: Any) -> Source:  # noqa: A002
        """Add a source; its gateway relays device EUI and b3."""
        url = f"mqtt://{broker.host}:{broker.port}" if broker is not None else ""
        new = NewSource(name=name, municipality="tripoli", format=format, url=url, **more)
        return await add_source(self.town.connection, KINDS, new, ALL, now, by=PLATFORM)

    async def state(self, name: str) -> Any:
        """Return how it goes with a source."""
        return (await get_source(self.town.connection, name)).state


@asynccontextmanager
async def bridging(
    town: Town, step: Step = lambda _: None, profiles: Path | None = None
) -> AsyncIterator[Bridged]:
    """A bridge in this process, which looks at its sources ten times a second."""
    pool = await open_pool(town.dsn, min_size=0, max_size=4)
    async with Codecs() as codecs:
        bridge = Bridge(
            pool=pool,
            declared=KINDS,
            ours=BrokerAddress(host=town.broker.host, port=town.broker.port),
            now=now,
            codecs=codecs,
            profiles=ProfileFiles(KINDS, profiles),
            targets=listed(["127.0.0.0/8"]),
            step=step,
        )
        looking = asyncio.create_task(_look(bridge, pool))
        try:
            yield Bridged(town, bridge)
        finally:
            looking.cancel()
            await asyncio.wait([looking])
            if not looking.cancelled():
                looking.result()
            await bridge.close()
            pool.terminate()


async def _look(bridge: Bridge, pool: Any) -> None:
    async with pool.acquire() as connection:
        while True:
            await bridge.look(connection)
            await asyncio.sleep(0.1)


async def register(town: Town, name: str, gateway: str, kind: str = "bin") -> None:
    """Register a foreign device below a gateway."""
    new = NewDevice(name=name, kind=kind, municipality="tripoli", relays=(gateway,))
    await add_devices(town.connection, KINDS, [new], now, by=PLATFORM)


async def say(broker: Mosquitto, *messages: tuple[str, bytes | object]) -> None:
    """Publish at another's broker, at QoS 1."""
    async with aiomqtt.Client(broker.host, broker.port, identifier="publisher") as client:
        for topic, payload in messages:
            body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
            await client.publish(topic, body, qos=1)
