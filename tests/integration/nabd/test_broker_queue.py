"""The operator is told that the broker's queue fills while there is still room: metrics, /readyz, doctor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import asyncpg
import httpx2
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from api.app import create_app
from devices.wire.topics import Channel, every
from nabd import doctor, readiness
from nabd.broker.address import parse
from nabd.broker.queue import QueueWatch, limits_of
from nabd.doctor import CheckResult, Verdict
from nabd.settings import Settings
from tests.brokers import Mosquitto
from tests.integration.api import builders
from tests.parts import need_mosquitto
from tests.waiting import eventually, now

LIMIT = 100
TOPIC = "nabd/v1/tripoli/bin/bin-1/telemetry"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that holds 100 messages a client and says every second how many there are."""
    need_mosquitto()
    with Mosquitto(tmp_path, settings=f"sys_interval 1\nmax_queued_messages {LIMIT}\n") as broker:
        yield broker


@pytest.fixture
def settings(broker: Mosquitto, tmp_path: Path) -> Settings:
    """Settings that know the broker and its limit."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        broker=f"mqtt://{broker.host}:{broker.port}",
        broker_queue=LIMIT,
        data_dir=tmp_path,
    )


@pytest.fixture
async def watch(settings: Settings) -> AsyncIterator[QueueWatch]:
    """A watch that listens, as in the API's process."""
    watch = QueueWatch(parse(settings.broker or ""), limits_of(settings))
    running = asyncio.create_task(watch.run())
    yield watch
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def session(broker: Mosquitto) -> aiomqtt.Client:
    """Return a client whose session stays when it leaves, as that of ingest does."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = 3600
    return aiomqtt.Client(
        broker.host,
        broker.port,
        identifier="ingest",
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=properties,
    )


async def subscribe(broker: Mosquitto) -> None:
    """Leave a session behind for which the broker keeps telemetry."""
    async with session(broker) as client:
        await client.subscribe(every(Channel.TELEMETRY), qos=1)


async def publish(broker: Mosquitto, messages: int, *, retained: int = 0) -> None:
    """Publish so many messages, and `retained` ones that are no backlog."""
    async with aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for _ in range(messages):
            await client.publish(TOPIC, b"{}", qos=1)
        for number in range(retained):
            await client.publish(f"nabd/v1/tripoli/bin/bin-{number}/presence", b"online", qos=1, retain=True)


async def drain(broker: Mosquitto, messages: int) -> None:
    """Fetch what the absent session missed."""
    async with session(broker) as client, asyncio.timeout(20):
        arriving = client.messages
        for _ in range(messages):
            await anext(arriving)


async def of_broker(settings: Settings) -> CheckResult:
    """Return what doctor says of the broker."""
    return next(f for f in await doctor.examine(settings) if f.subject == "broker")


async def test_operator_is_told_in_three_places_when_the_queue_is_half_full(
    broker: Mosquitto, settings: Settings, watch: QueueWatch, pool: asyncpg.Pool
) -> None:
    checks = readiness.checks(settings, pool, builders.KINDS, now, 1.0, watch.queue)
    app = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=now,
        beyond_loopback=False,
        checks={"broker": checks["broker"]},
        queue=watch.queue,
    )
    await builders.let_in(pool)
    await subscribe(broker)
    await publish(broker, LIMIT // 2, retained=LIMIT)

    async def near() -> bool:
        return (known := watch.queue()) is not None and known.is_near_limit

    await eventually(near)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=builders.BEARER
    ) as client:
        metrics = (await client.get("/metrics")).text
        ready = await client.get("/readyz")

    assert "nabd_broker_queued_messages 50.0" in metrics
    assert "nabd_broker_queue_limit_messages 100.0" in metrics
    assert "nabd_broker_dropped_messages_total 0.0" in metrics
    assert ready.status_code == 503
    assert "holds 50 messages that ingest has not fetched; at 100 it drops" in ready.json()["parts"]["broker"]
    finding = await of_broker(settings)
    assert (finding.verdict, finding.said) == (Verdict.BAD, ready.json()["parts"]["broker"])


async def test_operator_is_left_alone_before_and_after_the_queue_fills(
    broker: Mosquitto, settings: Settings, watch: QueueWatch, pool: asyncpg.Pool
) -> None:
    check = readiness.checks(settings, pool, builders.KINDS, now, 1.0, watch.queue)["broker"]
    await subscribe(broker)
    await publish(broker, LIMIT // 2 - 1)

    async def holds(messages: int) -> bool:
        return (known := watch.queue()) is not None and known.queued == messages

    await eventually(lambda: holds(LIMIT // 2 - 1))
    assert await check() is None
    assert (await of_broker(settings)).verdict is Verdict.FINE
    await publish(broker, 1)
    await eventually(lambda: holds(LIMIT // 2))
    assert await check() is not None

    await drain(broker, LIMIT // 2)

    await eventually(lambda: holds(0))
    assert await check() is None


async def test_doctor_tells_what_the_broker_has_dropped(broker: Mosquitto, settings: Settings) -> None:
    await subscribe(broker)
    await publish(broker, LIMIT + 7)
    await drain(broker, LIMIT)

    async def told() -> CheckResult | None:
        finding = await of_broker(settings)
        return finding if "dropped" in finding.said else None

    finding = await eventually(told)

    assert finding.verdict is Verdict.NOTE
    assert "it has dropped 7 since it started" in finding.said


async def test_watch_knows_nothing_while_the_broker_is_away(broker: Mosquitto, watch: QueueWatch) -> None:
    async def known() -> bool:
        return watch.queue() is not None

    await eventually(known)
    broker.kill()

    async def unknown() -> bool:
        return watch.queue() is None

    await eventually(unknown)
    broker.start()
    await eventually(known)


async def test_doctor_hears_topics_that_nobody_reads(broker: Mosquitto, settings: Settings) -> None:
    async with session(broker) as client:
        await client.publish("application/7/device/0011/event/up", "{}", qos=1, retain=True)
        await client.publish("nabd/v1/tripoli/bin/bin-1/data", "{}", qos=1, retain=True)
        await client.publish(TOPIC, "{}", qos=1, retain=True)

    (told,) = [found for found in await doctor.examine(settings) if found.subject == "topics"]

    assert told.verdict is Verdict.NOTE
    assert told.said.startswith("2 messages on topics that nobody reads: ")
    assert "application/7/device/0011/event/up" in told.said
    assert "nabd/v1/tripoli/bin/bin-1/data" in told.said
