"""Commands are checked, sent once, and only move forward."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import asyncpg
import pytest

from devices.commands.answered import RESULT_LIMIT, changed_since, expire, get_command, record_response
from devices.commands.configured import desire, due_configs, get_config, mark_published, record_reports
from devices.commands.new_command import EXPIRES_AFTER_S, NewCommand, new_command
from devices.commands.queue import MOST_WAITING, enqueue, mark_delivered, put_back, take_due, wake
from devices.commands.requests import NewRequest, approve, ask
from devices.instants import Now, to_datetime
from devices.registry.errors import Conflict
from devices.registry.hardware import replace_hardware
from devices.registry.registration import NewDevice, add_device
from devices.registry.registry import Device
from devices.wire.channels import Report, Response
from ingest.commit.answers import record
from store.audit import PLATFORM
from tests.actors import actor
from tests.integration.devices.town import KINDS, SECOND, START, add_bin, add_town, now

FIRST = UUID(int=1)


def make_command(device: Device, number: int = 1) -> NewCommand:
    return new_command(device, KINDS["bin"], "calibrate", {}, id=UUID(int=number), now=now)


@pytest.fixture
async def device(connection: asyncpg.Connection) -> Device:
    """A bin in tripoli."""
    await add_town(connection)
    return await add_bin(connection)


def later(seconds: float) -> Now:
    """Return a clock that stands so much later."""
    return lambda: START + round(seconds * SECOND)


async def test_command_says_on_the_wire_what_was_asked(
    connection: asyncpg.Connection, device: Device
) -> None:
    command = new_command(device, KINDS["bin"], "set_interval", {"interval_s": 60}, id=FIRST, now=now)
    await enqueue(connection, [command], now, by=PLATFORM)

    (due,) = await take_due(connection, now, 10)

    assert due.topic == "nabd/v1/tripoli/bin/TRP-BIN-0001/command"
    assert json.loads(due.payload) == {
        "id": str(FIRST),
        "name": "set_interval",
        "args": {"interval_s": 60},
        "expires_at": "2026-09-21T14:18:20+00:00",
    }


async def test_command_that_is_not_confirmed_is_sent_again_and_never_after_its_time(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)

    taken = [len(await take_due(connection, later(s), 10)) for s in (0, 29, 30, 59, 60, 299, 300, 400)]

    assert taken == [1, 0, 1, 0, 1, 1, 0, 0]
    assert (await get_command(connection, FIRST)).status == "sent"
    assert await expire(connection, later(300)) == 1
    assert await take_due(connection, later(301), 10) == []


async def test_command_that_nobody_took_waits_longer_each_time_until_the_device_is_back(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    await take_due(connection, now, 10)
    await put_back(connection, [FIRST], now)
    assert (await get_command(connection, FIRST)).status == "queued"
    assert [len(await take_due(connection, later(s), 10)) for s in (4, 5)] == [0, 1]
    await put_back(connection, [FIRST], later(5))

    assert await take_due(connection, later(14), 10) == []
    await wake(connection, [device.id], later(14))
    assert len(await take_due(connection, later(14), 10)) == 1

    await mark_delivered(connection, [FIRST], later(14))
    assert (await get_command(connection, FIRST)).status == "delivered"
    assert await take_due(connection, later(200), 10) == []


async def test_confirmation_after_the_answer_takes_nothing_back(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    await take_due(connection, now, 10)
    await record_response(connection, device.name, FIRST, "succeeded", now)

    await mark_delivered(connection, [FIRST], now)
    await put_back(connection, [FIRST], now)

    assert (await get_command(connection, FIRST)).status == "succeeded"


async def test_no_more_commands_wait_for_one_device_than_somebody_can_oversee(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device, n) for n in range(1, MOST_WAITING + 1)], now, by=PLATFORM)

    with pytest.raises(Conflict, match="it does not listen"):
        await enqueue(connection, [make_command(device, 1_000)], now, by=PLATFORM)


async def test_hostile_answer_is_kept_as_little_as_is_read(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)

    await record_response(connection, device.name, FIRST, "failed", now, result=["x" * RESULT_LIMIT])

    stands = await get_command(connection, FIRST)
    assert (stands.status, stands.result) == ("failed", None)
    assert stands.detail == "a result of 4,100 bytes is not kept; 4,096 are"


async def test_command_moves_forward_as_the_device_answers(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    sent = await connection.fetchrow("SELECT subject, after FROM audit WHERE action = 'command.send'")
    assert sent is not None
    assert (sent["subject"], sent["after"]["id"]) == (device.name, str(FIRST))

    assert await record_response(connection, device.name, FIRST, "accepted", now)
    assert await record_response(connection, device.name, FIRST, "succeeded", now, result={"zero_mm": 12})

    stands = await get_command(connection, FIRST)
    assert (stands.status, stands.result, stands.settled) == ("succeeded", {"zero_mm": 12}, True)


async def test_late_answer_changes_nothing(connection: asyncpg.Connection, device: Device) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    await record_response(connection, device.name, FIRST, "failed", now, detail="no echo")

    assert not await record_response(connection, device.name, FIRST, "running", now)
    assert not await record_response(connection, device.name, FIRST, "succeeded", now)

    assert (await get_command(connection, FIRST)).status == "failed"


async def test_command_that_runs_says_how_far_it_is(connection: asyncpg.Connection, device: Device) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)

    moved = [
        await record_response(connection, device.name, FIRST, "running", now, detail=detail)
        for detail in ("25 %", "25 %", "50 %")
    ]

    assert moved == [True, False, True]
    assert (await get_command(connection, FIRST)).detail == "50 %"


async def test_answer_of_another_device_changes_nothing(
    connection: asyncpg.Connection, device: Device
) -> None:
    other = await add_bin(connection, "TRP-BIN-0002")
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)

    assert not await record_response(connection, other.name, FIRST, "succeeded", now)


async def test_command_expires_when_its_time_is_over_and_not_before(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    end = START + EXPIRES_AFTER_S * SECOND

    assert await expire(connection, lambda: end - 1) == 0
    assert await expire(connection, lambda: end) == 1
    assert (await get_command(connection, FIRST)).status == "expired"


async def test_answer_the_database_could_not_keep_is_made_storable(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)

    await record_response(connection, device.name, FIRST, "failed", now, detail="a\x00", result={"b": "\x00"})

    stands = await get_command(connection, FIRST)
    assert (stands.detail, stands.result) == ("a\ufffd", {"b": "\ufffd"})


async def test_device_that_is_back_before_it_listens_is_told_soon_again(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    for _ in range(8):
        await connection.execute("UPDATE command SET due_at = $1", to_datetime(START))
        assert await take_due(connection, now, 1)
        await put_back(connection, [FIRST], now)

    await wake(connection, [device.id], now)
    assert await take_due(connection, now, 1)
    await put_back(connection, [FIRST], now)
    assert len(await take_due(connection, later(6), 1)) == 1


async def test_request_skips_devices_that_take_no_command_and_counts_them(
    connection: asyncpg.Connection, device: Device
) -> None:
    await add_bin(connection, "TRP-BIN-0002")
    relayed = await add_bin(connection, "TRP-BIN-0003")
    gateway = NewDevice(name="TRP-GW-0001", kind="gateway", municipality="tripoli")
    added = await add_device(connection, KINDS, gateway, now, by=PLATFORM)
    await connection.execute(
        "INSERT INTO relay (device_id, gateway_id) VALUES ($1, $2)", relayed.id, added.id
    )
    with pytest.raises(Conflict, match="speaks through gateways alone"):
        await enqueue(connection, [make_command(relayed, 900)], now, by=PLATFORM)
    await enqueue(connection, [make_command(device, n) for n in range(1, MOST_WAITING + 1)], now, by=PLATFORM)
    new = NewRequest(municipality="tripoli", kind="bin", name="report_now", args={}, reason="storm")
    asked = await ask(connection, KINDS, new, now, by=PLATFORM)

    samir = await actor(connection, "samir")
    approved = await approve(connection, KINDS, asked.id, now, by=samir, new_id=uuid4)

    assert (approved.devices, approved.left_out, approved.answers) == (1, 2, {"queued": 1})


async def test_changes_are_read_page_by_page_though_they_are_of_one_instant(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device, n) for n in range(1, 6)], now, by=PLATFORM)

    first = await changed_since(connection, (to_datetime(START), UUID(int=0)), 3)
    second = await changed_since(connection, (first[-1].updated_at, first[-1].id), 3)

    assert [one.id.int for one in (*first, *second)] == [1, 2, 3, 4, 5]


async def test_last_word_of_a_batch_counts_and_new_hardware_inherits_no_settings(
    connection: asyncpg.Connection, device: Device
) -> None:
    await enqueue(connection, [make_command(device)], now, by=PLATFORM)
    said = [Response(id=FIRST, status="running", detail=f"{pct} %") for pct in (25, 50, 75)]
    await record(connection, [(device.name, one) for one in said], now)
    assert (await get_command(connection, FIRST)).detail == "75 %"

    await desire(connection, KINDS, device.name, {"interval_s": 60}, now, by=PLATFORM)
    (due,) = await due_configs(connection, 10, moved=False)
    await mark_published(connection, due, now)
    report = Report(config={"interval_s": 60}, refused={"x": "no"}, version=1, firmware="1.0.0")
    await record_reports(connection, {device.id: report}, now)
    await replace_hardware(connection, device.name, "S-2", now=now, by=PLATFORM)

    config = await get_config(connection, device.name)
    assert (config.reported, config.refused, config.firmware) == ({}, {}, None)
    assert config.agreement == "waiting"
    assert len(await due_configs(connection, 10, moved=False)) == 1, "the new one is told"
