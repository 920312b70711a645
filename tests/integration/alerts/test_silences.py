"""Silences on a database: which alerts, from when to when, and what becomes of the alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from alerts import queue
from alerts.silences import silenced, silences_at
from alerts.silencing import NewSilence, add_silence, end_silence, list_silences
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import get_device
from store.audit import PLATFORM
from tests.integration.api import builders

NOW = builders.now()
HOUR_US = 3_600_000_000
HOUR = timedelta(hours=1)


async def _add(connection: asyncpg.Connection, **named: Any) -> int:
    new = NewSilence(**{"until_at": builders.NOON + HOUR, "reason": "works", **named})
    return (await add_silence(connection, builders.KINDS, new, by=PLATFORM, now=NOW)).id


async def test_every_way_of_asking_names_the_same_alerts(connection: asyncpg.Connection) -> None:
    devices = [
        await builders.add(connection, "bin-1", attributes={"depot": "N", "wheels": 2}),
        await builders.add(connection, "bin-2", attributes={"depot": "S", "lid": True}),
        await builders.add(connection, "bin-3", attributes={}, municipality="nablus"),
        await builders.add(connection, "light-1", "light", attributes={"depot": "N"}),
    ]
    await connection.execute(
        """
        INSERT INTO ground_feature (municipality_id, layer, name, title, geometry, west, south, east, north,
            created_at, updated_at)
        SELECT id, 'districts', 'west', '{}', '{}', 0, 0, 1, 1, $1, $1
        FROM municipality WHERE name = 'tripoli'
        """,
        builders.NOON,
    )
    await connection.execute(
        "UPDATE device SET district_id = (SELECT id FROM ground_feature) WHERE name IN ('bin-2', 'light-1')"
    )
    alerts = {
        (device.name, rule): await builders.fire(connection, device, rule=rule, at=builders.NOON)
        for device in devices
        for rule in ("silent", "overflow")
    }
    town = {"municipality": "tripoli"}
    cases: list[tuple[dict[str, Any], set[tuple[str, str]]]] = [
        ({"device": "bin-1"}, {("bin-1", "silent"), ("bin-1", "overflow")}),
        ({"device": "bin-1", "rule": "silent"}, {("bin-1", "silent")}),
        ({"rule": "silent"}, {(d.name, "silent") for d in devices}),
        ({"rule": "silent", **town}, {(d.name, "silent") for d in devices if d.name != "bin-3"}),
        ({"kind": "light"}, {("light-1", "silent"), ("light-1", "overflow")}),
        ({"kind": "bin", "district": "west", **town}, {("bin-2", "silent"), ("bin-2", "overflow")}),
        (
            {"attribute": "depot", "value": "N", "rule": "silent", **town},
            {("bin-1", "silent"), ("light-1", "silent")},
        ),
        ({"attribute": "wheels", "value": "2.0", "rule": "silent", **town}, {("bin-1", "silent")}),
        ({"attribute": "lid", "value": "true", "rule": "silent", **town}, {("bin-2", "silent")}),
        ({"attribute": "lid", "value": "1", **town}, set()),
    ]
    for named, wanted in cases:
        number = await _add(connection, **named)
        found = await silenced(connection, alerts.values(), NOW)
        listed = await queue.list_alerts(connection, silenced=True, now=NOW)
        others = await queue.list_alerts(connection, silenced=False, now=NOW)

        assert {key for key, alert in alerts.items() if alert in found} == wanted, named
        assert {(a.device, a.rule) for a in listed} == wanted, named
        assert {a.id for a in listed} | {a.id for a in others} == set(alerts.values())
        assert {s.id for s in found.values()} <= {number}
        await end_silence(connection, number, by=PLATFORM, now=NOW)


async def test_silence_stands_from_its_beginning_until_before_its_end(connection: asyncpg.Connection) -> None:
    await builders.add(connection, "bin-1")
    number = await _add(
        connection, device="bin-1", from_at=builders.NOON + HOUR, until_at=builders.NOON + 3 * HOUR
    )

    async def standing(hours: float) -> list[int]:
        return [s.id for s in await silences_at(connection, NOW + round(hours * HOUR_US))]

    async def states(hours: int) -> list[str]:
        at = NOW + hours * HOUR_US
        return [s.state for s in await list_silences(connection, now=at, past=True)]

    assert [await standing(h) for h in (0.9, 1, 2.9, 3)] == [[], [number], [number], []]
    assert [await states(h) for h in (0, 1, 3)] == [["coming"], ["active"], ["past"]]

    ended = await end_silence(connection, number, by=PLATFORM, now=NOW + 2 * HOUR_US)

    assert (ended.state, ended.ended_at) == ("past", builders.NOON + 2 * HOUR)
    assert [await standing(h) for h in (1.9, 2)] == [[number], []]
    with pytest.raises(Conflict):
        await end_silence(connection, number, by=PLATFORM, now=NOW + 2 * HOUR_US)
    assert await list_silences(connection, now=NOW) == []


async def test_silence_that_is_taken_back_before_it_begins_never_stands(
    connection: asyncpg.Connection,
) -> None:
    await builders.add(connection, "bin-1")
    number = await _add(
        connection, device="bin-1", from_at=builders.NOON + HOUR, until_at=builders.NOON + 3 * HOUR
    )

    ended = await end_silence(connection, number, by=PLATFORM, now=NOW)

    assert (ended.state, ended.ended_by) == ("past", "nabd")
    assert await silences_at(connection, NOW + 2 * HOUR_US) == []


async def test_alert_opens_and_ends_in_silence_and_the_longest_one_is_named(
    connection: asyncpg.Connection,
) -> None:
    device = await builders.add(connection, "bin-1")
    await _add(connection, device="bin-1")
    longer = await _add(connection, kind="bin", until_at=builders.NOON + 5 * HOUR)

    alert = await builders.fire(connection, device)
    assert {a: s.id for a, s in (await silenced(connection, [alert], NOW)).items()} == {alert: longer}
    await builders.resolve(connection, await get_device(connection, "bin-1"))

    [ended] = await queue.list_alerts(connection)
    assert (ended.id, ended.state) == (alert, "resolved")
    assert await silenced(connection, [alert], NOW) == {}
    assert await queue.list_alerts(connection, silenced=True, now=NOW) == []


async def test_silence_of_a_device_does_not_follow_it_to_another_municipality(
    connection: asyncpg.Connection,
) -> None:
    await builders.add(connection, "bin-1")
    await builders.add(connection, "bin-2", municipality="nablus")
    await _add(connection, device="bin-1")
    await connection.execute(
        "UPDATE device SET municipality_id = (SELECT municipality_id FROM device WHERE name = 'bin-2')"
        " WHERE name = 'bin-1'"
    )

    alert = await builders.fire(connection, await get_device(connection, "bin-1"))

    assert await silenced(connection, [alert], NOW) == {}
    assert await queue.list_alerts(connection, silenced=True, now=NOW) == []


MISTAKES: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({}, Invalid, "name a device"),
    ({"municipality": "tripoli"}, Invalid, "name a device"),
    ({"district": "west"}, Invalid, "of which municipality"),
    ({"attribute": "depot", "value": "N"}, Invalid, "of which municipality"),
    ({"attribute": "depot", "municipality": "tripoli"}, Invalid, "a name and a value"),
    ({"kind": "boat"}, Invalid, "'boat' is none of"),
    ({"device": "bin-1", "reason": "  "}, Invalid, "say in 1 to 500"),
    ({"device": "bin-1", "until_at": builders.NOON}, Invalid, "later than the beginning"),
    (
        {"device": "bin-1", "from_at": builders.NOON - 2 * HOUR, "until_at": builders.NOON - HOUR},
        Invalid,
        "over already",
    ),
    ({"device": "bin-1", "until_at": builders.NOON + timedelta(days=367)}, Invalid, "at most 366 days"),
    ({"device": "bin-1", "municipality": "nablus"}, Invalid, "stands in tripoli"),
    ({"device": "bin-9"}, NotFound, "bin-9"),
    ({"rule": "nothing"}, NotFound, "nothing"),
    ({"district": "east", "municipality": "tripoli"}, NotFound, "east"),
]


async def test_mistake_is_refused_and_nothing_is_stored(connection: asyncpg.Connection) -> None:
    await builders.add(connection, "bin-1")
    await builders.add_town(connection, "nablus")

    for named, error, said in MISTAKES:
        with pytest.raises(error, match=said):
            await _add(connection, **named)

    assert await connection.fetchval("SELECT count(*) FROM silence") == 0
