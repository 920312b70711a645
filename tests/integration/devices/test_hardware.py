"""A place keeps its name while its hardware is replaced; what stands where is told, and mistakes refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry import registry
from devices.registry.editing import edit_device
from devices.registry.errors import AlreadyExists, Invalid, NotFound, RegistryError
from devices.registry.hardware import find_place, list_hardware, replace_hardware
from devices.registry.registration import add_device, add_devices
from store.audit import PLATFORM
from store.pool import connect
from tests.integration.devices.town import BIN, KINDS, START, add_town, generation, now
from tests.waiting import eventually

MOMENT = to_datetime(START)
OTHER = replace(BIN, name="TRP-BIN-0002", serial="SN-2")


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A town with a bin whose serial is known, and one without."""
    await add_town(connection)
    long_ago = MOMENT - timedelta(days=9)
    await add_devices(
        connection,
        KINDS,
        [replace(BIN, installed_at=long_ago), replace(OTHER, installed_at=long_ago)],
        now,
        by=PLATFORM,
    )
    return connection


async def test_place_keeps_its_name_and_forgets_the_old_clock_and_connection(
    tripoli: asyncpg.Connection,
) -> None:
    before = await registry.get_device(tripoli, OTHER.name)
    await tripoli.execute("INSERT INTO presence VALUES ($1, false, now())", before.id)
    await tripoli.execute(
        "INSERT INTO clock_offset VALUES ($1, tstzrange('2026-01-01Z', '2026-02-01Z'), '1 day', now())",
        before.id,
    )
    told = await generation(tripoli)

    after = await replace_hardware(
        tripoli,
        await find_place(tripoli, "SN-2"),
        "SN-3",
        wire_name="NEW-7",
        at=MOMENT - timedelta(hours=1),
        reason="cell flat",
        now=now,
        by=PLATFORM,
    )

    assert (after.id, after.name, after.serial, after.wire, after.replaced) == (
        before.id, OTHER.name, "SN-3", "NEW-7", 1,
    )  # fmt: skip
    snapshot = await registry.load(tripoli)
    assert snapshot.by_name[OTHER.name] == after
    assert OTHER.name in snapshot.removed[OTHER.name]
    assert await generation(tripoli) == told + 1
    new, old = await list_hardware(tripoli, OTHER.name)
    assert (new.serial, new.removed_at, old.serial, old.removed_reason) == ("SN-3", None, "SN-2", "cell flat")
    assert old.removed_at == new.installed_at
    for table in ("presence", "clock_offset"):
        assert await tripoli.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_place_is_found_by_its_name_only_while_it_has_no_serial(tripoli: asyncpg.Connection) -> None:
    assert await find_place(tripoli, BIN.name) == BIN.name
    with pytest.raises(Invalid, match="name that serial"):
        await find_place(tripoli, OTHER.name)
    with pytest.raises(NotFound, match="SN-9"):
        await find_place(tripoli, "SN-9")

    await replace_hardware(tripoli, OTHER.name, "SN-3", now=now, by=PLATFORM)

    with pytest.raises(Invalid, match="was taken from TRP-BIN-0002"):
        await find_place(tripoli, "SN-2")


@pytest.mark.parametrize(
    ("serial", "more", "field", "text"),
    [
        ("SN-2", {}, "serial", "stands in TRP-BIN-0002"),
        ("SN-3", {"wire_name": "TRP-BIN-0002"}, "wire_name", "stands in TRP-BIN-0002"),
        ("SN-3", {"wire_name": "a/b"}, "wire_name", "A-Z"),
        ("SN-3", {"at": MOMENT - timedelta(days=10)}, "at", "before the installation"),
        ("SN-3", {"at": MOMENT + timedelta(days=1)}, "at", "yet to come"),
        (" ", {}, "serial", "no serial number"),
    ],
)
async def test_replacement_with_a_mistake_is_refused_and_changes_nothing(
    tripoli: asyncpg.Connection, serial: str, more: dict[str, object], field: str, text: str
) -> None:
    with pytest.raises(Invalid, match=text) as refused:
        await replace_hardware(tripoli, BIN.name, serial, **more, now=now, by=PLATFORM)  # type: ignore[arg-type]

    assert refused.value.field == field
    assert len(await list_hardware(tripoli, BIN.name)) == 1


async def test_removed_hardware_may_stand_elsewhere(tripoli: asyncpg.Connection) -> None:
    await replace_hardware(tripoli, OTHER.name, "SN-3", wire_name="NEW-7", now=now, by=PLATFORM)

    moved = await replace_hardware(tripoli, BIN.name, "SN-2", wire_name=OTHER.name, now=now, by=PLATFORM)

    assert (moved.name, moved.wire) == (BIN.name, OTHER.name)


async def test_name_that_hardware_uses_on_the_wire_is_taken(tripoli: asyncpg.Connection) -> None:
    await replace_hardware(tripoli, OTHER.name, "SN-3", wire_name="NEW-7", now=now, by=PLATFORM)

    with pytest.raises(AlreadyExists, match="nabd device hardware TRP-BIN-0002"):
        await add_device(tripoli, KINDS, replace(BIN, name="NEW-7"), now, by=PLATFORM)
    with pytest.raises(Invalid, match="stands in TRP-BIN-0002"):
        await add_device(tripoli, KINDS, replace(BIN, name="B-9", serial="SN-3"), now, by=PLATFORM)


async def test_serial_is_written_down_once_and_then_replaced(tripoli: asyncpg.Connection) -> None:
    edited = await edit_device(tripoli, KINDS, BIN.name, {"serial": "SN-1"}, now=now, by=PLATFORM)

    assert edited == await registry.get_device(tripoli, BIN.name)
    with pytest.raises(Invalid, match="nabd device replace SN-1 SN-7"):
        await edit_device(tripoli, KINDS, BIN.name, {"serial": "SN-7"}, now=now, by=PLATFORM)


async def test_serial_given_twice_at_once_is_refused_by_name(tripoli: asyncpg.Connection) -> None:
    twice = [replace(BIN, name="B-8", serial="SN-8"), replace(BIN, name="B-9", serial="SN-8")]

    with pytest.raises(Invalid, match="'SN-8' is that of B-8 and of B-9"):
        await add_devices(tripoli, KINDS, twice, now, by=PLATFORM)


async def test_who_replaces_at_the_same_time_waits_and_learns_where_the_serial_stands_then(
    tripoli: asyncpg.Connection, dsn: str
) -> None:
    same, elsewhere = await connect(dsn), await connect(dsn)
    async with asyncio.TaskGroup() as group, tripoli.transaction():
        await replace_hardware(tripoli, OTHER.name, "SN-3", now=now, by=PLATFORM)
        await add_device(tripoli, KINDS, replace(BIN, name="B-9", serial="SN-5"), now, by=PLATFORM)
        again = group.create_task(replace_hardware(same, OTHER.name, "SN-4", now=now, by=PLATFORM))
        taken = group.create_task(
            refusal(replace_hardware(elsewhere, BIN.name, "SN-5", now=now, by=PLATFORM))
        )
        await eventually(lambda: waiting(tripoli, 2))
    await same.close()
    await elsewhere.close()

    assert (again.result().serial, again.result().replaced) == ("SN-4", 2)
    assert str(taken.result()).startswith("serial: 'SN-5' stands in B-9")


async def refusal(asked: Awaitable[object]) -> RegistryError:
    with pytest.raises(RegistryError) as refused:
        await asked
    return refused.value


async def waiting(connection: asyncpg.Connection, wanted: int) -> bool:
    found: int = await connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
    return found >= wanted
