"""A running ingest on a real broker and a real database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiomqtt
import asyncpg
import pytest

from devices import kinds as declared
from devices.kinds import Kinds
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from ingest.broker.session import IngestBroker as IngestBroker
from ingest.commit.consumers import BatchConsumer
from ingest.service import IngestOptions, run
from store.audit import PLATFORM
from store.pool import connect
from tests.brokers import Broker
from tests.integration.ingest.editions import edition as edition
from tests.waiting import eventually, now

KINDS: Kinds = declared.load()


@dataclass
class Town:
    """What a test of ingest works with."""

    dsn: str
    broker: Broker
    connection: asyncpg.Connection
    consumers: list[BatchConsumer] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    def options(self, **changes: Any) -> IngestOptions:
        address = IngestBroker(
            host=self.broker.host,
            port=self.broker.port,
            client_id="ingest-main",
            keep_alive_s=4,
            receive_maximum=100,
        )
        return IngestOptions(
            **{
                "broker": address,
                "open_database": lambda: connect(self.dsn),
                "kinds": KINDS,
                "now": now,
                "owner": uuid4(),
                "consumers": self.consumers,
                **changes,
            }
        )

    async def start(self, **changes: Any) -> None:
        """Start ingest and wait until it owns the shard and is subscribed."""
        self.stop.clear()
        await self.connection.execute("UPDATE shard SET alive_at = NULL, caught_up_at = NULL")
        self.task = asyncio.create_task(run(self.options(**changes), self.stop))

        async def caught_up() -> Any:
            assert self.task is not None
            if self.task.done():
                self.task.result()
            return await self.connection.fetchval("SELECT caught_up_at FROM shard")

        await eventually(caught_up)

    async def shut_down(self) -> None:
        """Stop ingest as SIGTERM would."""
        if self.task is not None:
            self.stop.set()
            await asyncio.wait_for(self.task, 15)
            self.task = None

    def client(self, identifier: str) -> aiomqtt.Client:
        """Return a client of MQTT 5, which every broker of these tests speaks."""
        return aiomqtt.Client(
            self.broker.host, self.broker.port, identifier=identifier, protocol=aiomqtt.ProtocolVersion.V5
        )

    async def publish(self, *messages: tuple[str, Any], client_id: str = "d1") -> None:
        """Publish payloads (bytes as they are, the rest as JSON) at QoS 1."""
        async with self.client(client_id) as client:
            for topic, payload in messages:
                raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
                await client.publish(topic, raw, qos=1)

    async def received(self, readings: int) -> asyncpg.Record:
        """Wait until the ledger has so many readings; return its sums."""

        async def enough() -> asyncpg.Record | None:
            sums = await self.connection.fetchrow(
                "SELECT coalesce(sum(received), 0) AS received, sum(stored) AS stored,"
                " sum(duplicate) AS duplicate, sum(rejected) AS rejected, sum(undated) AS undated FROM ledger"
            )
            return sums if sums is not None and sums["received"] >= readings else None

        sums: asyncpg.Record = await eventually(enough)
        assert sums["received"] == readings
        return sums

    async def rejections(self) -> list[tuple[str, str, str]]:
        """Return (device, reason, pointer) of every rejection."""
        rows = await self.connection.fetch("SELECT device, reason, pointer FROM rejection ORDER BY id")
        return [tuple(row) for row in rows]

    async def readings(self, kind: str = "bin") -> Sequence[asyncpg.Record]:
        """Return every stored reading of a kind with its device's name."""
        return await self.connection.fetch(
            f"SELECT d.name, r.* FROM {kind}_reading AS r INNER JOIN device AS d ON d.id = r.device_id"
            " ORDER BY r.observed_at, d.name"
        )


@pytest.fixture
async def town(dsn: str, broker: Broker) -> AsyncIterator[Town]:
    """Tripoli with bins b1..b3, a light, a drone, and a gateway g1 with bin b9 below it."""
    connection = await connect(dsn)
    await add_municipality(connection, NewMunicipality(name="tripoli"), now, by=PLATFORM)
    await add_devices(
        connection,
        KINDS,
        [
            *(NewDevice(name=f"b{i}", kind="bin", municipality="tripoli") for i in (1, 2, 3)),
            NewDevice(name="l1", kind="light", municipality="tripoli"),
            NewDevice(name="u1", kind="drone", municipality="tripoli"),
            NewDevice(name="g1", kind="gateway", municipality="tripoli"),
            NewDevice(name="b9", kind="bin", municipality="tripoli", parent="g1"),
        ],
        now,
        by=PLATFORM,
    )
    town = Town(dsn=dsn, broker=broker, connection=connection)
    yield town
    await town.shut_down()
    await connection.close()
