"""Commands are checked, sent once, and only move forward."""

from __future__ import annotations

import json
from uuid import UUID

import asyncpg
import pytest

from devices.commands.new_command import EXPIRES_AFTER_S, NewCommand, new_command
from devices.commands.sent import expire, get_command, record_response, record_sent
from devices.registry.registry import Device
from store.audit import PLATFORM
from tests.integration.devices.town import KINDS, SECOND, START, add_bin, add_town, now

FIRST = UUID(int=1)


def make_command(device: Device, number: int = 1) -> NewCommand:
    return new_command(device, KINDS["bin"], "calibrate", {}, id=UUID(int=number), now=now)


@pytest.fixture
async def device(connection: asyncpg.Connection) -> Device:
    """A bin in tripoli."""
    await add_town(connection)
    return await add_bin(connection)


async def test_command_says_on_the_wire_what_was_asked(device: Device) -> None:
    command = new_command(device, KINDS["bin"], "set_interval", {"interval_s": 60}, id=FIRST, now=now)

    assert command.topic == "nabd/v1/tripoli/bin/TRP-BIN-0001/command"
    assert json.loads(command.payload) == {
        "id": str(FIRST),
        "name": "set_interval",
        "args": {"interval_s": 60},
        "expires_at": "2026-09-21T14:18:20+00:00",
    }


async def test_command_moves_forward_as_the_device_answers(
    connection: asyncpg.Connection, device: Device
) -> None:
    await record_sent(connection, make_command(device), now, by=PLATFORM)
    sent = await connection.fetchrow("SELECT subject, after FROM audit WHERE action = 'command.send'")
    assert sent is not None
    assert (sent["subject"], sent["after"]["id"]) == (device.name, str(FIRST))

    assert await record_response(connection, device.name, FIRST, "accepted", now)
    assert await record_response(connection, device.name, FIRST, "succeeded", now, result={"zero_mm": 12})

    stands = await get_command(connection, FIRST)
    assert (stands.status, stands.result, stands.settled) == ("succeeded", {"zero_mm": 12}, True)


async def test_late_answer_changes_nothing(connection: asyncpg.Connection, device: Device) -> None:
    await record_sent(connection, make_command(device), now, by=PLATFORM)
    await record_response(connection, device.name, FIRST, "failed", now, detail="no echo")

    assert not await record_response(connection, device.name, FIRST, "running", now)
    assert not await record_response(connection, device.name, FIRST, "succeeded", now)

    assert (await get_command(connection, FIRST)).status == "failed"


async def test_answer_of_another_device_changes_nothing(
    connection: asyncpg.Connection, device: Device
) -> None:
    other = await add_bin(connection, "TRP-BIN-0002")
    await record_sent(connection, make_command(device), now, by=PLATFORM)

    assert not await record_response(connection, other.name, FIRST, "succeeded", now)


async def test_command_expires_when_its_time_is_over_and_not_before(
    connection: asyncpg.Connection, device: Device
) -> None:
    await record_sent(connection, make_command(device), now, by=PLATFORM)
    end = START + EXPIRES_AFTER_S * SECOND

    assert await expire(connection, lambda: end - 1) == 0
    assert await expire(connection, lambda: end) == 1
    assert (await get_command(connection, FIRST)).status == "expired"


async def test_answer_the_database_could_not_keep_is_made_storable(
    connection: asyncpg.Connection, device: Device
) -> None:
    await record_sent(connection, make_command(device), now, by=PLATFORM)

    await record_response(connection, device.name, FIRST, "failed", now, detail="a\x00", result={"b": "\x00"})

    stands = await get_command(connection, FIRST)
    assert (stands.detail, stands.result) == ("a\ufffd", {"b": "\ufffd"})
