"""Commands and configurations reach devices through a real broker, whatever stands still meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import aiomqtt
import asyncpg
import msgspec
import pytest
from structlog.testing import capture_logs

from devices.commands.answered import get_command
from devices.commands.configured import desire
from devices.commands.new_command import new_command
from devices.commands.queue import enqueue, take_due, wake
from devices.registry.editing import edit_device, retire_device
from devices.registry.hardware import replace_hardware
from devices.registry.registry import Device
from nabd.broker.address import BrokerAddress
from nabd.broker.client import client
from nabd.commanding import follower
from store.audit import PLATFORM
from store.pool import connect
from tests.brokers import Mosquitto
from tests.integration.devices.town import KINDS, SECOND, START, add_bin, add_town
from tests.parts import need_mosquitto
from tests.waiting import eventually

BIN = "nabd/v1/tripoli/bin/TRP-BIN-0001"


class Clock:
    """A clock that a test moves."""

    at = START

    def __call__(self) -> int:
        return self.at

    def pass_s(self, seconds: float) -> None:
        self.at += round(seconds * SECOND)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that a test starts."""
    need_mosquitto()
    broker = Mosquitto(tmp_path, persistent=True)
    yield broker
    broker.stop()


@pytest.fixture
def clock() -> Clock:
    """Noon, until a test says otherwise."""
    return Clock()


@pytest.fixture
async def device(connection: asyncpg.Connection) -> Device:
    """A bin in tripoli."""
    await add_town(connection)
    return await add_bin(connection)


@asynccontextmanager
async def sending(dsn: str, broker: Mosquitto, clock: Clock) -> AsyncIterator[None]:
    """The follower under way, until it is killed."""
    address = BrokerAddress(host=broker.host, port=broker.port)
    task = asyncio.create_task(follower.follow(partial(connect, dsn), address, clock, 1.0))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def listening(broker: Mosquitto, *topics: str) -> AsyncIterator[list[tuple[str, Any]]]:
    """A device that remembers what it is told."""
    heard: list[tuple[str, Any]] = []

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            said = msgspec.json.decode(message.payload) if message.payload else None
            heard.append((str(message.topic).removeprefix("nabd/v1/"), said))

    async with aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for topic in topics:
            await client.subscribe(topic, 1)
        task = asyncio.create_task(listen(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def give(connection: asyncpg.Connection, device: Device, clock: Clock, number: int = 1) -> UUID:
    new = new_command(device, KINDS["bin"], "report_now", {}, id=UUID(int=number), now=clock)
    await enqueue(connection, [new], clock, by=PLATFORM)
    return new.id


def until_heard(heard: list[tuple[str, Any]], count: int) -> Any:
    async def enough() -> bool:
        return len(heard) == count

    return eventually(enough)


def until_it_is(connection: asyncpg.Connection, command: UUID, status: str) -> Any:
    async def stands() -> bool:
        return (await get_command(connection, command)).status == status

    return eventually(stands)


async def test_command_waits_for_the_broker_then_for_the_device_and_arrives_once(
    dsn: str, connection: asyncpg.Connection, device: Device, broker: Mosquitto, clock: Clock
) -> None:
    command = await give(connection, device, clock)
    with capture_logs() as logs:
        async with sending(dsn, broker, clock):

            async def told() -> bool:
                return any(one["event"] == "commands wait" for one in logs)

            await eventually(told)
    assert (await get_command(connection, command)).status == "queued"
    broker.start()

    async with sending(dsn, broker, clock):

        async def tried() -> Any:
            return await connection.fetchval("SELECT tries FROM command")

        assert await eventually(tried) == 1, "nobody listens"
        assert (await get_command(connection, command)).status == "queued"

        async with listening(broker, f"{BIN}/command") as heard:
            await wake(connection, [device.id], clock)
            await until_it_is(connection, command, "delivered")
            assert [one["id"] for _, one in heard] == [str(command)]


async def test_killed_sender_loses_nothing_and_what_has_expired_is_never_sent(
    dsn: str, connection: asyncpg.Connection, device: Device, broker: Mosquitto, clock: Clock
) -> None:
    broker.start()
    lost, late = await give(connection, device, clock), await give(connection, device, clock, 2)
    await connection.execute(
        "UPDATE command SET expires_at = created_at + interval '30 s' WHERE id = $1", late
    )
    assert len(await take_due(connection, clock, 10)) == 2  # by one that was killed before it sent them
    clock.pass_s(31)

    async with listening(broker, f"{BIN}/command") as heard, sending(dsn, broker, clock):
        await until_it_is(connection, lost, "delivered")
        await until_it_is(connection, late, "expired")
        last = await give(connection, device, clock, 3)
        await until_it_is(connection, last, "delivered")

        await until_heard(heard, 2)
    assert [one["id"] for _, one in heard] == [str(lost), str(last)]


async def test_one_of_two_senders_sends(
    dsn: str, connection: asyncpg.Connection, device: Device, broker: Mosquitto, clock: Clock
) -> None:
    broker.start()
    async with (
        listening(broker, f"{BIN}/command") as heard,
        sending(dsn, broker, clock),
        sending(dsn, broker, clock),
    ):
        given = [await give(connection, device, clock, number) for number in range(1, 30)]
        for command in given:
            await until_it_is(connection, command, "delivered")
    assert [one["id"] for _, one in heard] == [str(command) for command in given]


async def test_configuration_is_kept_by_the_broker_and_moves_with_the_device(
    dsn: str,
    connection: asyncpg.Connection,
    device: Device,
    broker: Mosquitto,
    clock: Clock,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(follower, "MOVED_EVERY_S", 0.1)
    monkeypatch.setattr(follower, "LOOK_S", 0.2)
    broker.start()

    async def published() -> Any:
        return await connection.fetchval("SELECT published_version = version FROM device_config")

    async with sending(dsn, broker, clock):
        await desire(connection, KINDS, device.name, {"interval_s": 60}, clock, by=PLATFORM)
        assert await eventually(published)
        async with listening(broker, "nabd/v1/+/+/+/config") as heard:
            await until_heard(heard, 1)
            await add_town(connection, "saida")
            await edit_device(
                connection, KINDS, device.name, {"municipality": "saida"}, now=clock, by=PLATFORM
            )
            await until_heard(heard, 3)

    told = {"version": 1, "set": {"interval_s": 60}}
    assert heard == [
        ("tripoli/bin/TRP-BIN-0001/config", told),
        ("tripoli/bin/TRP-BIN-0001/config", None),
        ("saida/bin/TRP-BIN-0001/config", told),
    ]


async def test_topic_that_another_device_took_over_is_not_cleared_and_that_of_a_retired_one_is(
    dsn: str,
    connection: asyncpg.Connection,
    device: Device,
    broker: Mosquitto,
    clock: Clock,
    monkeypatch: Any,
) -> None:
    monkeypatch.setattr(follower, "MOVED_EVERY_S", 0.1)
    monkeypatch.setattr(follower, "LOOK_S", 0.2)
    broker.start()
    second = await add_bin(connection, "TRP-BIN-0002")
    for one, seconds in ((device, 60), (second, 120)):
        await desire(connection, KINDS, one.name, {"interval_s": seconds}, clock, by=PLATFORM)
    topics: dict[str, Any] = {}

    async def kept(wanted: dict[str, int]) -> None:
        """Wait until the broker keeps this, by the last letters of wire names."""

        async def is_kept() -> bool:
            async with listening(broker, "nabd/v1/+/+/+/config") as heard:
                await asyncio.sleep(0.05)
            topics.clear()
            topics.update({topic.split("/")[2]: said["set"]["interval_s"] for topic, said in heard if said})
            return topics == wanted

        await eventually(is_kept)

    async with sending(dsn, broker, clock):
        await kept({"TRP-BIN-0001": 60, "TRP-BIN-0002": 120})
    await replace_hardware(connection, second.name, "S-3", wire_name="other", now=clock, by=PLATFORM)
    clock.pass_s(1)
    await replace_hardware(connection, device.name, "S-2", wire_name="TRP-BIN-0002", now=clock, by=PLATFORM)
    async with sending(dsn, broker, clock):
        await kept({"TRP-BIN-0002": 60, "other": 120})
        await retire_device(connection, second.name, "burnt", clock, by=PLATFORM)
        await kept({"TRP-BIN-0002": 60})


async def test_broker_that_falls_silent_holds_all_answers_up_once(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "ANSWER_S", 0.3)
    broker.start()
    address = BrokerAddress(host=broker.host, port=broker.port)
    async with client(address, timeout_s=10) as connected:
        confirmations = follower.Confirmations(connected=connected)
        connected._client.on_publish = confirmations.heard

        async def said() -> list[int]:
            answers = [confirmations.hand(f"{BIN}/config", b"{}", retain=True) for _ in range(50)]
            async with asyncio.timeout(5):
                return await confirmations.codes(answers)

        os.kill(broker.pid, signal.SIGSTOP)
        assert await said() == [-1] * 50
        os.kill(broker.pid, signal.SIGCONT)
        assert min(await said()) >= 0
        broker.kill()
        monkeypatch.setattr(follower, "ANSWER_S", 60)
        assert await said() == [-1] * 50
