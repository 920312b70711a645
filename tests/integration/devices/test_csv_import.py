"""Importing lists of devices into the registry."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from devices.registry import csv_import, csv_rows
from devices.registry.csv_import import ImportPlan
from devices.registry.registration import add_device
from devices.registry.registry import get_device, list_devices
from store.audit import PLATFORM
from tests.integration.devices.town import BIN, KINDS, add_bin, add_town, generation, now

LIST = """name,kind,municipality,parent,title,attr.volume_l
L-1,light,tripoli,CAB-1,Lamp,
CAB-1,cabinet,tripoli,,Cabinet,
TRP-BIN-0001,bin,tripoli,,Harbour,660
"""


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database in which tripoli is registered."""
    await add_town(connection)
    return connection


async def make_plan(connection: asyncpg.Connection, text: str, *, update: bool = False) -> ImportPlan:
    return await csv_import.plan(connection, csv_rows.read(text.encode(), KINDS), update=update)


async def test_list_is_imported_whatever_its_order(tripoli: asyncpg.Connection) -> None:
    before = await generation(tripoli)
    written: list[int] = []

    planned = await make_plan(tripoli, LIST)
    await csv_import.carry_out(tripoli, KINDS, planned, now, on_progress=written.append, by=PLATFORM)

    assert planned.problems == []
    assert (await get_device(tripoli, "L-1")).parent == "CAB-1"
    assert sum(written) == planned.steps == 3
    assert await generation(tripoli) == before + 1


async def test_registered_device_is_a_problem_unless_updating(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)

    refused = await make_plan(tripoli, LIST)
    planned = await make_plan(tripoli, LIST, update=True)
    await csv_import.carry_out(tripoli, KINDS, planned, now, by=PLATFORM)

    assert [(p.line, p.field) for p in refused.problems] == [(4, "name")]
    harbour = await get_device(tripoli, "TRP-BIN-0001")
    assert (harbour.title, harbour.attributes, harbour.version) == ("Harbour", {"volume_l": 660.0}, 2)


async def test_list_says_what_a_device_is_called_in_each_language(tripoli: asyncpg.Connection) -> None:
    titled = replace(BIN, titles={"ar": "الميناء", "en": "Port"})
    await add_device(tripoli, KINDS, titled, now, by=PLATFORM)
    text = "name,kind,municipality,Title_AR,title_fr\nTRP-BIN-0001,bin,tripoli,المرفأ,\n"

    planned = await make_plan(tripoli, text, update=True)
    await csv_import.carry_out(tripoli, KINDS, planned, now, by=PLATFORM)
    again = await make_plan(tripoli, text, update=True)

    assert planned.problems == []
    assert (await get_device(tripoli, "TRP-BIN-0001")).titles == {"ar": "المرفأ", "en": "Port"}
    assert again.unchanged == 1


async def test_import_again_changes_nothing(tripoli: asyncpg.Connection) -> None:
    await csv_import.carry_out(tripoli, KINDS, await make_plan(tripoli, LIST), now, by=PLATFORM)
    before = await generation(tripoli)

    planned = await make_plan(tripoli, LIST, update=True)
    await csv_import.carry_out(tripoli, KINDS, planned, now, by=PLATFORM)

    assert (planned.steps, planned.unchanged) == (0, 3)
    assert await generation(tripoli) == before


async def test_problem_of_a_parent_is_a_problem_of_its_children(tripoli: asyncpg.Connection) -> None:
    planned = await make_plan(tripoli, LIST.replace("CAB-1,cabinet,tripoli", "CAB-1,cabinet,mars"))

    assert [(p.line, p.field) for p in planned.problems] == [(2, "parent"), (3, "municipality")]
    assert [row.new.name for row in planned.add] == ["TRP-BIN-0001"]


async def test_devices_below_each_other_and_repeated_names_are_problems(tripoli: asyncpg.Connection) -> None:
    circle = "A,cabinet,tripoli,B\nB,cabinet,tripoli,A\n"
    text = f"name,kind,municipality,parent\n{circle}C,bin,tripoli,\nC,bin,tripoli,\n"

    planned = await make_plan(tripoli, text)

    assert [(p.line, p.field) for p in planned.problems] == [(2, "parent"), (3, "parent"), (5, "name")]


async def test_import_that_fails_half_way_leaves_nothing(tripoli: asyncpg.Connection) -> None:
    planned = await make_plan(tripoli, LIST)
    await add_bin(tripoli)

    with pytest.raises(Exception, match="exists already"):
        await csv_import.carry_out(tripoli, KINDS, planned, now, by=PLATFORM)

    assert [d.name for d in await list_devices(tripoli)] == ["TRP-BIN-0001"]
