"""A new device says its first word by the lines that it was given, through a real broker; and is heard."""

from __future__ import annotations

import asyncio
import json
import secrets
import shlex
import shutil
import sys

from devices.credentials.first_message import FirstMessage, first_message
from devices.credentials.issuing import rotate_passwords
from devices.instants import to_datetime
from devices.registry.registry import get_device
from readings.first_heard import FirstHeard, of_device
from store.audit import PLATFORM
from tests.integration.ingest.conftest import KINDS, Town
from tests.parts import MOSQUITTO_CLIENTS, missing
from tests.waiting import eventually, now


async def lines_of(town: Town, name: str) -> FirstMessage:
    (made,) = await rotate_passwords(
        town.connection, KINDS, [name], now=now, by=PLATFORM, random=secrets.token_bytes
    )
    return first_message(made, KINDS["bin"], f"{town.broker.host}:{town.broker.port}")


async def ran(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0, said.decode()
    return said.decode().strip()


async def heard(town: Town, name: str, since: int) -> FirstHeard:
    device = await get_device(town.connection, name)
    found: FirstHeard = await eventually(lambda: of_device(town.connection, device, to_datetime(since)))
    return found


async def test_lines_for_python_are_taken_and_heard(town: Town) -> None:
    await town.start()
    since = now()

    said = await ran(sys.executable, "-W", "error", "-c", (await lines_of(town, "b1")).python)

    assert said == "taken"
    first = await heard(town, "b1", since)
    assert (first.stored, first.measurements, first.note) == (True, {"fill_pct": 50}, "")


async def test_line_for_a_terminal_is_taken_and_heard(town: Town) -> None:
    if shutil.which("mosquitto_pub") is None:
        missing(MOSQUITTO_CLIENTS)
    await town.start()
    since = now()

    await ran(*shlex.split((await lines_of(town, "b2")).mosquitto_pub))

    assert (await heard(town, "b2", since)).measurements == {"fill_pct": 50}


async def test_a_first_message_that_is_refused_is_told_with_its_reason(town: Town) -> None:
    await town.start()
    since = now()
    lines = await lines_of(town, "b3")

    await town.publish((lines.topic, {"fill_pct": "full"}))

    first = await heard(town, "b3", since)
    assert (first.stored, first.reason, first.pointer) == (False, "bad_value", "/fill_pct")


async def test_names_that_mean_nothing_are_told(town: Town) -> None:
    await town.start()
    since = now()
    lines = await lines_of(town, "b3")

    await town.publish((lines.topic, json.loads('{"Fill": 50}')))

    assert "None of its names" in (await heard(town, "b3", since)).note


async def test_what_came_before_is_no_first_message(town: Town) -> None:
    await town.start()
    lines = await lines_of(town, "b3")
    await town.publish((lines.topic, {"fill_pct": "full"}))
    await town.received(1)

    assert (
        await of_device(town.connection, await get_device(town.connection, "b3"), to_datetime(now())) is None
    )
