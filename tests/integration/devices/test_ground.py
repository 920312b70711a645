"""Districts and streets in the database, and the devices that stand in them."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from devices.registry import csv_import, csv_rows
from devices.registry.editing import edit_device
from devices.registry.errors import Invalid, NotFound
from devices.registry.ground import layers
from devices.registry.ground.feature import AUTO, Layer
from devices.registry.ground.plan import plan
from devices.registry.municipalities import edit_municipality
from devices.registry.registration import add_devices
from devices.registry.registry import Device, get_device, list_devices
from store.audit import PLATFORM
from store.pool import connect
from tests.integration.devices.town import BIN, KINDS, SECOND, START, add_town, now
from tests.unit.devices.ground.files import EAST, STREET, WEST, box, feature, file
from tests.waiting import eventually

IN_WEST: dict[str, Any] = {"lat": 34.43, "lon": 35.83}
IN_EAST: dict[str, Any] = {"lat": 34.43, "lon": 35.87}
ON_STREET: dict[str, Any] = {"lat": 34.435, "lon": 35.85}
DISTRICTS = file(feature(WEST, name__en="West", name__ar="غرب"), feature(EAST, name="East"))
WHOLE = box(35.82, 34.42, 35.88, 34.45)


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """Tripoli with two districts and a street, and Saida beside it with a bin-less district."""
    for name in ("tripoli", "saida"):
        await add_town(connection, name)
        await edit_municipality(connection, name, {"lat": 34.4367, "lon": 35.8497}, now, by=PLATFORM)
    await put(connection, DISTRICTS)
    await put(connection, file(feature(STREET, code="azmi", name="Azmi")), layer=Layer.STREETS)
    return connection


async def put(
    connection: asyncpg.Connection,
    content: bytes,
    *,
    layer: Layer = Layer.DISTRICTS,
    municipality: str = "tripoli",
    remove_missing: bool = False,
) -> layers.LayerImport:
    done = await layers.import_layer(
        connection, municipality, layer, content, remove_missing=remove_missing, now=now, by=PLATFORM
    )
    assert done.problems == []
    return done


MOMENTS = itertools.count(START, SECOND)


async def edit(connection: asyncpg.Connection, name: str, **changes: object) -> Device:
    return await edit_device(connection, KINDS, name, changes, now=MOMENTS.__next__, by=PLATFORM)


async def test_devices_get_district_and_street_when_added_and_when_moved(tripoli: asyncpg.Connection) -> None:
    new = [
        replace(BIN, name="W", **IN_WEST),
        replace(BIN, name="S", **ON_STREET),
        replace(BIN, name="nowhere"),
        replace(BIN, name="H", district="east"),
    ]
    await add_devices(tripoli, KINDS, new, now, by=PLATFORM)

    found = {d.name: (d.district, d.street, d.district_by_hand) for d in await list_devices(tripoli)}
    assert found == {
        "W": ("west", None, False),
        "S": ("east", "azmi", False),
        "nowhere": (None, None, False),
        "H": ("east", None, True),
    }
    assert (await get_device(tripoli, "W")).district_title == {"en": "West", "ar": "غرب"}
    assert [d.name for d in await list_devices(tripoli, district="east")] == ["H", "S"]

    assert (await edit(tripoli, "W", **IN_EAST)).district == "east"
    assert (await edit(tripoli, "W", lat=None, lon=None)).district is None
    moved = await edit(tripoli, "S", municipality="saida")
    assert (moved.district, moved.street) == (None, None)


async def test_district_set_by_hand_stays_until_auto_another_municipality_or_its_removal(
    tripoli: asyncpg.Connection,
) -> None:
    await add_devices(tripoli, KINDS, [replace(BIN, name="B", **IN_WEST)], now, by=PLATFORM)

    by_hand = await edit(tripoli, "B", district="east")
    moved = await edit(tripoli, "B", **ON_STREET)
    back = await edit(tripoli, "B", district=None, **IN_WEST)
    assert (by_hand.district, by_hand.district_by_hand, by_hand.version) == ("east", True, 2)
    assert (moved.district, moved.district_by_hand, moved.street) == ("east", True, "azmi")
    assert (back.district, back.district_by_hand) == ("west", False)

    await put(tripoli, file(feature(WHOLE, code="all", name="All")), municipality="saida")
    await edit(tripoli, "B", district="east")
    elsewhere = await edit(tripoli, "B", municipality="saida")
    assert (elsewhere.district, elsewhere.district_by_hand) == ("all", False)
    await edit(tripoli, "B", municipality="tripoli", district="east")
    assert await layers.remove_features(tripoli, "tripoli", Layer.DISTRICTS, ["east"], now, by=PLATFORM) == 1
    left = await get_device(tripoli, "B")
    assert (left.district, left.district_by_hand) == ("west", False)

    with pytest.raises(Invalid) as refused:
        await edit(tripoli, "B", district="wets")
    assert (
        refused.value.message == "'wets' is no district of tripoli; did you mean 'west'? known: west, or auto"
    )
    assert (await edit(tripoli, "B", district=AUTO)).district == "west"


async def test_devices_follow_a_layer_that_is_imported_changed_or_removed(
    tripoli: asyncpg.Connection,
) -> None:
    new = [
        replace(BIN, name="W", **IN_WEST),
        replace(BIN, name="E", **IN_EAST),
        replace(BIN, name="H", **IN_WEST),
    ]
    await add_devices(tripoli, KINDS, new, now, by=PLATFORM)
    await edit(tripoli, "H", district="east")
    versions = {d.name: d.version for d in await list_devices(tripoli)}

    again = await put(tripoli, DISTRICTS)
    assert (again.added, again.changed, again.unchanged, again.devices) == (0, 0, 2, 0)

    swapped = await put(
        tripoli, file(feature(EAST, code="west", name="West"), feature(WEST, code="east", name="E"))
    )
    assert (swapped.changed, swapped.devices) == (2, 2)
    assert {d.name: d.district for d in await list_devices(tripoli)} == {
        "W": "east",
        "E": "west",
        "H": "east",
    }

    whole = await put(tripoli, file(feature(WHOLE, name="All")), remove_missing=True)
    assert (whole.added, whole.removed, whole.devices) == (1, 2, 3)
    found = await list_devices(tripoli)
    assert {d.name: (d.district, d.district_by_hand) for d in found} == dict.fromkeys("EHW", ("all", False))
    assert {d.name: d.version for d in found} == versions, "nobody's edit may fail for it"

    (districts, streets) = await layers.list_layers(tripoli, "tripoli")
    assert (districts.layer, districts.features, districts.devices) == ("districts", 1, 3)
    assert (streets.layer, streets.features, streets.devices) == ("streets", 1, 0)
    await layers.remove_features(tripoli, "tripoli", Layer.DISTRICTS, None, now, by=PLATFORM)
    assert [d.district for d in await list_devices(tripoli)] == [None] * 3
    with pytest.raises(NotFound):
        await layers.remove_features(tripoli, "tripoli", Layer.STREETS, ["azmi", "west"], now, by=PLATFORM)


_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


async def test_device_that_moves_while_a_layer_is_imported_waits_for_it(
    tripoli: asyncpg.Connection, dsn: str
) -> None:
    await add_devices(tripoli, KINDS, [replace(BIN, name="B")], now, by=PLATFORM)
    other = await connect(dsn)
    async with asyncio.TaskGroup() as group, tripoli.transaction():
        await put(tripoli, file(feature(WHOLE, name="All")), remove_missing=True)
        moving = group.create_task(edit(other, "B", **IN_EAST))
        await eventually(lambda: tripoli.fetchval(_WAITING))
    await other.close()

    assert moving.result().district == "all"


async def test_layer_is_compared_before_devices_wait_and_again_after_another_import(
    tripoli: asyncpg.Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    compared: list[Any] = []
    first = file(feature(box(35.88, 34.42, 35.9, 34.45), code="new", name="New"))
    over_first = file(feature(box(35.89, 34.42, 35.92, 34.45), code="late", name="Late"))

    def and_somebody_imports(*given: Any, **more: Any) -> Any:
        compared.append(given)
        if len(compared) == 1:
            asyncio.run_coroutine_threadsafe(put(other, first), loop).result(timeout=20)
        return plan(*given, **more)

    monkeypatch.setattr(layers, "plan", and_somebody_imports)
    other = await connect(dsn)
    done = await layers.import_layer(
        tripoli, "tripoli", Layer.DISTRICTS, over_first, remove_missing=False, now=now, by=PLATFORM
    )
    await other.close()

    assert (done.written, len(compared)) == (False, 3)
    assert "overlaps 'new'" in done.problems[0].message


async def test_layer_with_a_problem_changes_nothing(tripoli: asyncpg.Connection) -> None:
    content = file(feature(WHOLE, name="All"), feature(WEST, code="a"))

    done = await layers.import_layer(
        tripoli, "tripoli", Layer.DISTRICTS, content, remove_missing=False, now=now, by=PLATFORM
    )
    dry = await layers.import_layer(
        tripoli,
        "tripoli",
        Layer.DISTRICTS,
        file(feature(EAST, name="New")),
        remove_missing=True,
        dry_run=True,
        now=now,
        by=PLATFORM,
    )

    assert not done.written
    assert [problem.pointer for problem in done.problems] == [
        "/features/0/geometry",
        "/features/0/geometry",
        "/features/1/properties",
    ]
    assert (dry.written, dry.added, dry.removed, dry.problems) == (False, 1, 2, [])
    stored = await layers.list_features(tripoli, "tripoli", Layer.DISTRICTS)
    assert [one.name for one in stored] == ["east", "west"]


async def test_list_of_devices_sets_districts_and_names_those_that_do_not_exist(
    tripoli: asyncpg.Connection,
) -> None:
    await add_devices(
        tripoli, KINDS, [replace(BIN, name="B-1"), replace(BIN, name="B-2", **IN_WEST)], now, by=PLATFORM
    )
    head = "name,kind,municipality,lat,lon,district\n"
    good = (
        "B-1,bin,tripoli,34.43,35.83,east\nB-2,bin,tripoli,34.43,35.87,\nB-3,bin,tripoli,34.43,35.87,west\n"
    )
    bad = "B-4,bin,tripoli,,,wets\nB-5,bin,saida,,,west\nB-6,bin,saida,,,AUTO\n"

    refused = await csv_import.plan(tripoli, csv_rows.read((head + good + bad).encode(), KINDS), update=True)
    planned = await csv_import.plan(tripoli, csv_rows.read((head + good).encode(), KINDS), update=True)
    await csv_import.carry_out(tripoli, KINDS, planned, now, by=PLATFORM)
    again = await csv_import.plan(tripoli, csv_rows.read((head + good).encode(), KINDS), update=True)

    assert [(p.line, p.field) for p in refused.problems] == [(5, "district"), (6, "district")]
    assert "did you mean 'west'?" in refused.problems[0].message
    assert {d.name: (d.district, d.district_by_hand) for d in await list_devices(tripoli)} == {
        "B-1": ("east", True),
        "B-2": ("east", False),
        "B-3": ("west", True),
    }
    assert (again.steps, again.unchanged) == (0, 3)


async def test_audit_says_which_features_came_and_went_and_which_district_was_set(
    tripoli: asyncpg.Connection,
) -> None:
    new = [replace(BIN, name="B", district="east", **IN_WEST), replace(BIN, name="A", **IN_WEST)]
    await add_devices(tripoli, KINDS, new, now, by=PLATFORM)
    last = await tripoli.fetchval("SELECT max(id) FROM audit")

    await put(tripoli, DISTRICTS)
    await put(tripoli, file(feature(WHOLE, name="All")), remove_missing=True)
    await edit(tripoli, "B", district="all")
    await edit(tripoli, "A", lat=34.431)
    await edit(tripoli, "B", district=None)

    rows = await tripoli.fetch(
        "SELECT action, subject, before, after FROM audit WHERE id > $1 ORDER BY id", last
    )
    assert [(r["action"], r["subject"], r["before"] or {}, r["after"]) for r in rows] == [
        ("layer.import", "districts", {}, {"added": ["all"], "removed": ["east", "west"]}),
        ("device.edit", "B", {"district": None}, {"district": "all"}),
        ("device.edit", "A", {"lat": 34.43}, {"lat": 34.431}),
        ("device.edit", "B", {"district": "all"}, {"district": None}),
    ]
