"""Registering, editing and retiring devices and municipalities."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import asyncpg
import pytest

from devices.registry import registry
from devices.registry.editing import edit_device, reinstate, retire_device
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.registry.municipalities import NewMunicipality, add_municipality, edit_municipality
from devices.registry.registration import NewDevice, add_device, add_devices
from store.audit import PLATFORM
from store.pool import connect
from tests.integration.devices.town import BIN, KINDS, add_bin, add_town, generation, now

CABINET = NewDevice(name="TRP-CAB-1", kind="cabinet", municipality="tripoli")
LIGHT = NewDevice(name="TRP-LGT-1", kind="light", municipality="tripoli", parent="TRP-CAB-1")


@pytest.fixture
async def tripoli(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A database in which tripoli is registered."""
    await add_town(connection)
    return connection


async def test_snapshot_holds_what_was_registered(tripoli: asyncpg.Connection) -> None:
    await add_devices(
        tripoli, KINDS, [CABINET, LIGHT, replace(BIN, attributes={"volume_l": 660})], now, by=PLATFORM
    )

    snapshot = await registry.load(tripoli)

    light = snapshot.by_name["TRP-LGT-1"]
    assert light.parent == "TRP-CAB-1"
    assert light.parent_id == snapshot.by_name["TRP-CAB-1"].id
    assert snapshot.devices[light.id] == light
    assert snapshot.by_name[BIN.name].attributes == {"volume_l": 660}
    assert snapshot.municipalities["tripoli"].time_zone == "Asia/Beirut"


async def test_device_comes_back_from_the_database_as_it_was_returned(tripoli: asyncpg.Connection) -> None:
    added = await add_device(tripoli, KINDS, replace(BIN, lat=34.43, lon=35.84), now, by=PLATFORM)

    assert await registry.get_device(tripoli, BIN.name) == added


async def test_registering_tells_ingest(tripoli: asyncpg.Connection) -> None:
    before = await generation(tripoli)

    await add_bin(tripoli)

    assert await generation(tripoli) == before + 1


async def test_registering_a_taken_name_is_refused_and_changes_nothing(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)
    before = await generation(tripoli)

    with pytest.raises(AlreadyExists, match="nabd device edit"):
        await add_devices(tripoli, KINDS, [CABINET, BIN], now, by=PLATFORM)

    assert [d.name for d in await registry.list_devices(tripoli)] == [BIN.name]
    assert await generation(tripoli) == before


async def test_children_may_come_before_their_parent_in_one_registration(tripoli: asyncpg.Connection) -> None:
    light, cabinet = await add_devices(tripoli, KINDS, [LIGHT, CABINET], now, by=PLATFORM)

    assert light.parent_id == cabinet.id


@pytest.mark.parametrize(
    ("new", "field", "text"),
    [
        (replace(BIN, name="no spaces"), "name", "A-Z, a-z, 0-9"),
        (replace(BIN, kind="bim"), "kind", "did you mean 'bin'"),
        (replace(BIN, municipality="tripolis"), "municipality", "did you mean 'tripoli'"),
        (replace(BIN, parent="NOBODY"), "parent", "not registered"),
        (replace(BIN, lat=34.0), "lon", "together"),
        (replace(BIN, lat=91.0, lon=0.0), "lat", "-90 to 90"),
        (replace(BIN, attributes={"volume_l": "big"}), "attributes.volume_l", "not a number in L"),
        (replace(BIN, attributes={"interval_s": 0}), "attributes.interval_s", "above 0"),
    ],
)
async def test_registering_refuses_a_wrong_field_and_names_the_fix(
    tripoli: asyncpg.Connection, new: NewDevice, field: str, text: str
) -> None:
    with pytest.raises(Invalid, match=text) as refused:
        await add_device(tripoli, KINDS, new, now, by=PLATFORM)

    assert refused.value.field == field


async def test_parent_must_group_devices(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)

    with pytest.raises(Invalid, match="a parent is a circuit or cabinet"):
        await add_device(tripoli, KINDS, replace(LIGHT, parent=BIN.name), now, by=PLATFORM)


async def test_parent_must_stand_in_the_same_municipality(tripoli: asyncpg.Connection) -> None:
    await add_town(tripoli, "rabat")
    await add_device(tripoli, KINDS, replace(CABINET, municipality="rabat"), now, by=PLATFORM)

    with pytest.raises(Invalid, match="stands in rabat, not in tripoli"):
        await add_device(tripoli, KINDS, LIGHT, now, by=PLATFORM)


async def test_list_pages_by_name_and_filters(tripoli: asyncpg.Connection) -> None:
    names = ["TRP-BIN-1", "TRP-BIN-2", "TRP-BIN-3"]
    await add_devices(
        tripoli, KINDS, [CABINET, LIGHT, *(replace(BIN, name=n) for n in names)], now, by=PLATFORM
    )

    first = await registry.list_devices(tripoli, kind="bin", limit=2)
    rest = await registry.list_devices(tripoli, kind="bin", after=first[-1].name, limit=2)
    below = await registry.list_devices(tripoli, parent="TRP-CAB-1")
    found = await registry.list_devices(tripoli, search="clock SQ", municipality="tripoli")

    assert [d.name for d in first + rest] == names
    assert [d.name for d in below] == ["TRP-LGT-1"]
    assert [d.name for d in found] == names


async def test_editing_merges_attributes_and_counts_the_version(tripoli: asyncpg.Connection) -> None:
    await add_device(
        tripoli, KINDS, replace(BIN, attributes={"volume_l": 660, "owner": "city"}), now, by=PLATFORM
    )

    changes = {"title": "Harbour", "attributes": {"owner": None, "route": "R1"}}
    edited = await edit_device(tripoli, KINDS, BIN.name, changes, now=now, by=PLATFORM)

    assert edited.attributes == {"volume_l": 660, "route": "R1"}
    assert edited.version == 2
    assert edited == await registry.get_device(tripoli, BIN.name)


async def test_editing_a_version_that_has_passed_is_a_conflict(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)
    await edit_device(tripoli, KINDS, BIN.name, {"title": "A"}, version=1, now=now, by=PLATFORM)

    with pytest.raises(Conflict):
        await edit_device(tripoli, KINDS, BIN.name, {"title": "B"}, version=1, now=now, by=PLATFORM)

    assert (await registry.get_device(tripoli, BIN.name)).title == "A"


async def test_editing_moves_a_device_below_a_parent_and_away(tripoli: asyncpg.Connection) -> None:
    await add_devices(tripoli, KINDS, [CABINET, replace(LIGHT, parent=None)], now, by=PLATFORM)

    below = await edit_device(tripoli, KINDS, LIGHT.name, {"parent": "TRP-CAB-1"}, now=now, by=PLATFORM)
    away = await edit_device(tripoli, KINDS, LIGHT.name, {"parent": None}, now=now, by=PLATFORM)

    assert below.parent_id is not None
    assert away.parent_id is None


async def test_editing_cannot_change_the_kind(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)

    with pytest.raises(Invalid, match="kind: cannot be changed"):
        await edit_device(tripoli, KINDS, BIN.name, {"kind": "light"}, now=now, by=PLATFORM)


async def test_a_retired_device_leaves_the_list_and_comes_back_when_reinstated(
    tripoli: asyncpg.Connection,
) -> None:
    await add_bin(tripoli)

    retired = await retire_device(tripoli, BIN.name, "burnt", now, by=PLATFORM)
    in_service = await registry.list_devices(tripoli)
    gone = await registry.list_devices(tripoli, retired=True)
    back = await reinstate(tripoli, BIN.name, now, by=PLATFORM)

    assert retired.retired_reason == "burnt"
    assert retired.retired_at is not None
    assert in_service == []
    assert gone == [retired]
    assert back.retired_at is None


async def test_retiring_twice_is_a_conflict(tripoli: asyncpg.Connection) -> None:
    await add_bin(tripoli)
    await retire_device(tripoli, BIN.name, "burnt", now, by=PLATFORM)

    with pytest.raises(Conflict, match="retired already"):
        await retire_device(tripoli, BIN.name, "again", now, by=PLATFORM)


async def test_a_parent_with_devices_in_service_cannot_be_retired(tripoli: asyncpg.Connection) -> None:
    await add_devices(tripoli, KINDS, [CABINET, LIGHT], now, by=PLATFORM)

    with pytest.raises(Invalid, match="TRP-LGT-1 stand below"):
        await retire_device(tripoli, CABINET.name, "rust", now, by=PLATFORM)


async def test_a_device_that_does_not_exist_is_not_found(tripoli: asyncpg.Connection) -> None:
    with pytest.raises(NotFound, match="--search"):
        await edit_device(tripoli, KINDS, "NOBODY", {"title": "x"}, now=now, by=PLATFORM)


async def test_municipality_edits_keep_the_other_fields(tripoli: asyncpg.Connection) -> None:
    edited = await edit_municipality(
        tripoli, "tripoli", {"weekend": (5, 6), "register_unknown": True}, now, by=PLATFORM
    )

    assert edited.weekend == (5, 6)
    assert edited.register_unknown
    assert edited.time_zone == "Asia/Beirut"
    assert await registry.list_municipalities(tripoli) == [edited]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"time_zone": "Asia/Beyrouth"}, "did you mean"),
        ({"locale": "xx-XX"}, "for example ar-LB"),
        ({"locale": "de-DE"}, "speaks en, fr, ar"),
        ({"weekend": (0,)}, "1 is Monday"),
        ({"title": {"es": "Trípoli"}}, "not a language"),
        ({"timezone": "UTC"}, "did you mean 'time_zone'"),
    ],
)
async def test_municipality_refuses_a_wrong_field_and_names_the_fix(
    tripoli: asyncpg.Connection, changes: dict[str, object], text: str
) -> None:
    with pytest.raises(Invalid, match=text):
        await edit_municipality(tripoli, "tripoli", changes, now, by=PLATFORM)


async def test_municipality_name_can_be_taken_once(tripoli: asyncpg.Connection) -> None:
    with pytest.raises(AlreadyExists):
        await add_municipality(tripoli, NewMunicipality(name="tripoli"), now, by=PLATFORM)


async def test_two_edits_at_once_never_lose_one(tripoli: asyncpg.Connection, dsn: str) -> None:
    await add_bin(tripoli)
    others = [await connect(dsn) for _ in range(4)]

    outcomes = await asyncio.gather(
        *(
            edit_device(other, KINDS, BIN.name, {"attributes": {f"by{i}": i}}, now=now, by=PLATFORM)
            for i, other in enumerate(others)
        ),
        return_exceptions=True,
    )

    edited = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert all(isinstance(o, Conflict) for o in outcomes if isinstance(o, BaseException))
    assert len((await registry.get_device(tripoli, BIN.name)).attributes) == len(edited) >= 1
    for other in others:
        await other.close()


GATEWAYS = [NewDevice(name=f"TRP-GW-{i}", kind="gateway", municipality="tripoli") for i in (1, 2, 3)]


async def test_device_is_relayed_by_several_gateways_and_fed_by_a_cabinet(
    tripoli: asyncpg.Connection,
) -> None:
    lamp = replace(LIGHT, relays=("TRP-GW-2", "TRP-GW-1"))

    added = await add_devices(tripoli, KINDS, [lamp, CABINET, *GATEWAYS], now, by=PLATFORM)

    assert (added[0].parent, added[0].relays) == ("TRP-CAB-1", ("TRP-GW-1", "TRP-GW-2"))
    assert added[0] == await registry.get_device(tripoli, LIGHT.name)
    assert (await registry.load(tripoli)).by_name[LIGHT.name] == added[0]
    assert [d.name for d in await registry.list_devices(tripoli, relay="TRP-GW-2")] == [LIGHT.name]
    await edit_device(tripoli, KINDS, LIGHT.name, {"relays": ["TRP-GW-1"]}, now=now, by=PLATFORM)
    with pytest.raises(Invalid, match="stand below"):
        await retire_device(tripoli, "TRP-GW-1", "old", now, by=PLATFORM)
    assert (await retire_device(tripoli, "TRP-GW-2", "old", now, by=PLATFORM)).retired_at is not None


async def test_device_is_edited_although_one_of_its_gateways_retired(tripoli: asyncpg.Connection) -> None:
    lamp = replace(LIGHT, relays=("TRP-GW-1", "TRP-GW-2"))
    await add_devices(tripoli, KINDS, [CABINET, *GATEWAYS, lamp], now, by=PLATFORM)
    await retire_device(tripoli, "TRP-GW-2", "stolen", now, by=PLATFORM)

    edited = await edit_device(tripoli, KINDS, LIGHT.name, {"title": "new"}, now=now, by=PLATFORM)

    assert (edited.title, edited.relays) == ("new", lamp.relays)
    await edit_device(tripoli, KINDS, LIGHT.name, {"relays": ["TRP-GW-1"]}, now=now, by=PLATFORM)
    with pytest.raises(Invalid, match="TRP-GW-2' is retired"):
        await edit_device(tripoli, KINDS, LIGHT.name, {"relays": list(lamp.relays)}, now=now, by=PLATFORM)


async def test_gateway_written_as_parent_takes_the_place_of_the_relays(tripoli: asyncpg.Connection) -> None:
    await add_devices(
        tripoli, KINDS, [CABINET, *GATEWAYS, replace(LIGHT, relays=("TRP-GW-1",))], now, by=PLATFORM
    )

    edited = await edit_device(tripoli, KINDS, LIGHT.name, {"parent": "TRP-GW-2"}, now=now, by=PLATFORM)
    moved = await edit_device(tripoli, KINDS, LIGHT.name, {"title": "Lamp"}, now=now, by=PLATFORM)

    assert (edited.parent, edited.relays) == ("TRP-CAB-1", ("TRP-GW-2",))
    assert moved.relays == ("TRP-GW-2",)
    none = await edit_device(tripoli, KINDS, LIGHT.name, {"relays": [], "parent": None}, now=now, by=PLATFORM)
    assert (none.parent, none.relays) == (None, ())
    assert none == await registry.get_device(tripoli, LIGHT.name)


async def test_gateways_do_not_relay_each_other_in_a_circle(tripoli: asyncpg.Connection) -> None:
    one, two, three = GATEWAYS
    await add_devices(
        tripoli,
        KINDS,
        [one, replace(two, relays=(one.name,)), replace(three, relays=(two.name,))],
        now,
        by=PLATFORM,
    )

    with pytest.raises(Invalid, match="in a circle"):
        await edit_device(tripoli, KINDS, one.name, {"relays": [three.name]}, now=now, by=PLATFORM)
