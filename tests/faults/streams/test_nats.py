"""MQTT by NATS and JetStream between it and ingest: killed on both sides, nothing is lost or doubled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiomqtt
import pytest

from devices.wire.topics import every
from ingest.broker import jetstream
from ingest.broker.hearing import Hearing
from ingest.broker.jetstream import subject_of, topic_of
from ingest.broker.received import HEARD
from ingest.broker.session import BrokerRefused, IngestBroker
from nabd.settings import Settings
from nabd.starting import NotConfigured, message_source
from tests.faults import alerts, checker, runner
from tests.faults.plant import Plant, eventually, scaled
from tests.faults.publisher import KIND
from tests.faults.publisher import topic_of as topic_of_device
from tests.faults.runner import now
from tests.faults.streams.nats_server import NatsServer
from tests.faults.streams.old_fleet import OldSpeaker

SPEAKERS = 4


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path) as server:
        yield server


@pytest.fixture
async def speakers(server: NatsServer) -> AsyncIterator[list[OldSpeaker]]:
    speakers = [OldSpeaker(server.mqtt_port, f"old-{number}") for number in range(SPEAKERS)]
    running = [asyncio.create_task(speaker.run()) for speaker in speakers]
    yield speakers
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def test_ingest_and_the_server_are_killed_and_nothing_is_lost_or_doubled(
    plant: Plant, server: NatsServer, speakers: list[OldSpeaker]
) -> None:
    plan = {"port": server.port, "jetstream": True, "batch_messages": 50}
    process = plant.run(**plan)
    await plant.owned()
    fleet = plant.fleet()

    def say(readings: int) -> None:
        for number in range(len(fleet.said), len(fleet.said) + readings):
            said = fleet.observe(fleet.devices[number % len(fleet.devices)])
            fleet.said.append(said)
            speakers[number % len(fleet.devices) % SPEAKERS].say(said)

    async def all_answered() -> bool:
        return all(speaker.idle for speaker in speakers)

    for kills in range(round(scaled(1, 20))):
        say(400)
        await asyncio.sleep(0.3)
        process.kill()
        say(200)
        process = plant.run(**plan, directory=plant.directory / f"again-{kills}")
        await plant.owned()
    server.kill()
    say(200)
    server.start()
    await eventually(all_answered, within=30)
    lines = fleet.lines()
    await checker.at_rest(plant.dsn, len({(line.device, line.ts) for line in lines}), within=60)
    found = await checker.examine(plant.dsn, lines, fleet.devices)
    print(checker.summary(found))

    assert found.holds, checker.summary(found)
    assert alerts.amiss(await alerts.stories(plant.dsn)) == []
    assert await alerts.open_alerts(plant.dsn) == await alerts.held_by_readings(plant.dsn, KIND)
    assert await plant.end(process) == 0


async def test_ingest_that_is_told_to_stop_has_acknowledged_all_that_it_committed(
    plant: Plant, server: NatsServer, speakers: list[OldSpeaker]
) -> None:
    plan = plant.plan(port=server.port, jetstream=True, batch_messages=20, hold_at=("fenced", 2))
    process = runner.start(plan)
    plant.processes.append(process)
    await plant.owned()
    fleet = plant.fleet()
    for number in range(400):
        said = fleet.observe(fleet.devices[number % len(fleet.devices)])
        fleet.said.append(said)
        speakers[number % len(fleet.devices) % SPEAKERS].say(said)

    async def held() -> bool:
        return plan.held.exists()

    # Told to stop while a batch is under way: nothing follows its acknowledgement.
    await eventually(held)
    process.terminate()
    plan.go.touch()
    assert await plant.ended(process, within=15) == 0

    process = plant.run(port=server.port, jetstream=True, directory=plant.directory / "again")
    await plant.owned()
    await checker.at_rest(plant.dsn, len(fleet.said), within=60)
    assert await plant.fetchval("SELECT sum(duplicate) FROM ledger") == 0
    assert await plant.end(process) == 0


async def test_a_permission_that_ingest_lacks_ends_its_connection_and_is_named(tmp_path: Path) -> None:
    deny = '{user: "ingest", password: "word", permissions: {publish: {deny: "$JS.API.CONSUMER.MSG.NEXT.>"}}}'
    users = f'authorization {{ users: [{{user: "device", password: "word"}}, {deny}] }}'
    with NatsServer(tmp_path, users) as server:
        async with aiomqtt.Client(
            "127.0.0.1", server.mqtt_port, identifier="b000", username="device", password="word"
        ):
            pass
        broker = IngestBroker(
            host="127.0.0.1", port=server.port, client_id="nabd-test", username="ingest", password="word"
        )
        session = await jetstream.connect(broker, Hearing(), now)
        keeping = asyncio.create_task(session.keep_alive())
        try:
            said = await asyncio.wait_for(asyncio.shield(session.lost), 10)
        finally:
            keeping.cancel()
            session.close()
            await session.closed()

    assert "permissions violation" in said.lower()


async def test_a_stream_serves_one_shard_alone(server: NatsServer) -> None:
    broker = IngestBroker(host="127.0.0.1", port=server.port, client_id="nabd-test")
    with pytest.raises(BrokerRefused, match="one shard that owns every municipality"):
        await jetstream.connect(broker, Hearing(hears=("tripoli",), drops=("+", "saida")), now)


async def test_receipts_reach_devices_by_their_own_names(plant: Plant, server: NatsServer) -> None:
    async with aiomqtt.Client("127.0.0.1", server.mqtt_port, identifier="b000") as device:
        process = plant.run(port=server.port, jetstream=True)
        await plant.owned()
        await device.subscribe(topic_of_device("b000", "receipt"))
        said = plant.fleet().observe("b000")
        await device.publish(said.topic, said.payload, qos=1)
        async with asyncio.timeout(20):
            message = await anext(device.messages)
        assert message.topic.value == topic_of_device("b000", "receipt")
        assert b'"seq":[[0,0]]' in bytes(message.payload).replace(b" ", b"")
        assert await plant.end(process) == 0


async def test_a_server_that_no_device_ever_met_says_so(plant: Plant, server: NatsServer) -> None:
    process = plant.run(port=server.port, jetstream=True)
    log = plant.directory / "ingest" / "ingest.log"

    async def told() -> bool:
        return log.exists() and "it makes it when a device first connects by MQTT" in log.read_text()

    await eventually(told)
    assert await plant.end(process) == 0


def test_topics_and_subjects_are_the_same_names() -> None:
    for topic in ("nabd/v1/tripoli/bin/b-1/telemetry", "nabd/v1/tripoli/bin/a.b:c_d-1/receipt"):
        assert topic_of(subject_of(topic)) == topic
    assert subject_of("nabd/v1/tripoli/bin/a.b/telemetry") == "nabd.v1.tripoli.bin.a//b.telemetry"
    assert subject_of(every(HEARD[0], "tripoli")) == "nabd.v1.tripoli.+.+.telemetry"


def test_stream_is_named_by_an_address_of_nats() -> None:
    source = message_source(Settings(stream="tls://ingest:word@nats.example.org"))
    assert (source.broker.host, source.broker.port) == ("nats.example.org", 4222)
    assert (source.broker.username, source.broker.password) == ("ingest", "word")
    assert source.broker.tls is not None
    assert source.open is jetstream.connect
    with pytest.raises(NotConfigured, match=r"NABD_STREAM: expected nats://.*, or tls://"):
        message_source(Settings(stream="mqtt://host"))
