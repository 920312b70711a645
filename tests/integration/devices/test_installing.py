"""A planned device is installed once, by command or import, and lists tell who is planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry import csv_import, csv_rows
from devices.registry.editing import edit_device, retire_device
from devices.registry.errors import Conflict, Invalid
from devices.registry.installing import install_device
from devices.registry.life import Life
from devices.registry.registration import add_devices
from devices.registry.registry import get_device, list_devices
from store.audit import PLATFORM
from tests.integration.devices.town import BIN, KINDS, START, add_bin, add_town, generation, now

PLANNED = replace(BIN, name="TRP-BIN-0002", planned=True)
MOMENT = to_datetime(START)


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A town with a bin that stands, and one that is planned."""
    await add_town(connection)
    await add_devices(connection, KINDS, [BIN, PLANNED], now, by=PLATFORM)
    return connection


async def test_lists_tell_lives_apart(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli, "TRP-BIN-0003")
    await retire_device(tripoli, "TRP-BIN-0003", "burnt", now, by=PLATFORM)

    lives = {life: [d.name for d in await list_devices(tripoli, life=life)] for life in Life}

    assert lives == {
        Life.PLANNED: [PLANNED.name],
        Life.INSTALLED: [BIN.name],
        Life.RETIRED: ["TRP-BIN-0003"],
    }
    assert [d.name for d in await list_devices(tripoli)] == [BIN.name, PLANNED.name]


async def test_planned_device_is_installed_once_and_ingest_is_told(tripoli: asyncpg.Connection) -> None:
    before = await generation(tripoli)
    since = MOMENT - timedelta(hours=2)

    installed = await install_device(tripoli, PLANNED.name, since, now, by=PLATFORM)

    assert (installed.life, installed.installed_at, installed.version) == (Life.INSTALLED, since, 2)
    assert await generation(tripoli) == before + 1
    with pytest.raises(Conflict, match=r"installed since .*--installed-at"):
        await install_device(tripoli, PLANNED.name, None, now, by=PLATFORM)


async def test_device_comes_back_from_the_registry_as_it_was_installed(tripoli: asyncpg.Connection) -> None:
    assert (await get_device(tripoli, BIN.name)).installed_at == MOMENT
    assert (await get_device(tripoli, PLANNED.name)).installed_at is None


async def test_retired_device_and_an_instant_to_come_are_refused(tripoli: asyncpg.Connection) -> None:
    await retire_device(tripoli, BIN.name, "burnt", now, by=PLATFORM)

    with pytest.raises(Conflict, match="--reinstate"):
        await install_device(tripoli, BIN.name, None, now, by=PLATFORM)
    with pytest.raises(Invalid, match="yet to come"):
        await install_device(tripoli, PLANNED.name, MOMENT + timedelta(days=1), now, by=PLATFORM)
    with pytest.raises(Invalid, match="yet to come"):
        await edit_device(
            tripoli, KINDS, PLANNED.name, {"installed_at": MOMENT + timedelta(days=1)}, now=now, by=PLATFORM
        )


async def test_installed_device_may_become_planned_again(tripoli: asyncpg.Connection) -> None:
    edited = await edit_device(tripoli, KINDS, BIN.name, {"installed_at": None}, now=now, by=PLATFORM)

    assert edited == await get_device(tripoli, BIN.name)
    assert edited.life is Life.PLANNED


async def test_import_installs_what_was_planned(tripoli: asyncpg.Connection) -> None:
    text = (
        "name,kind,municipality,installed_at\n"
        f"{PLANNED.name},bin,tripoli,2026-03-01T08:00Z\n{BIN.name},bin,tripoli,\nB-3,bin,tripoli,planned\n"
    )

    planned = await csv_import.plan(tripoli, csv_rows.read(text.encode(), KINDS), update=True)
    await csv_import.carry_out(tripoli, KINDS, planned, now, by=PLATFORM)

    assert (len(planned.add), len(planned.edit), planned.unchanged) == (1, 1, 1)
    assert {d.name: d.life for d in await list_devices(tripoli)} == {
        BIN.name: Life.INSTALLED,
        PLANNED.name: Life.INSTALLED,
        "B-3": Life.PLANNED,
    }
