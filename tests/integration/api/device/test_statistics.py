"""Statistics of many devices over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from devices.instants import to_microseconds
from nabd import rollups
from tests.integration.api import builders
from tests.integration.api.builders import NOON

LIGHT, BIN = builders.KINDS["light"], builders.KINDS["bin"]


@pytest.fixture
async def lamps(connection: asyncpg.Connection) -> None:
    """Two lamps of circuit C1 and one of C2: 0.1 kWh an hour from 18:00 to 06:00 UTC, for three nights."""
    for name, circuit in (("l1", "C1"), ("l2", "C1"), ("l3", "C2")):
        lamp = await builders.add(connection, name, kind="light", attributes={"circuit": circuit})
        energy, rows = 5.0, []
        for hour in range(72):
            at = NOON - timedelta(days=3) + timedelta(hours=hour)
            lit = not 6 < at.hour <= 18
            energy += 0.1 * lit
            rows.append({"observed_at": at, "energy_kwh": energy, "commanded_dim_pct": 80.0 * lit})
        await builders.store(connection, lamp, rows)
    while await rollups.turn(connection, [LIGHT], lambda: to_microseconds(NOON)):
        pass


async def ask(client: httpx2.AsyncClient, **parameters: Any) -> list[dict[str, Any]]:
    """Return the groups of an answer."""
    asked = {
        "kind": "light",
        "since": str((NOON - timedelta(days=3)).date()),
        "until": str(NOON.date() + timedelta(days=1)),
        "measurements": "energy_kwh",
    }
    answer = await client.get("/api/v1/statistics", params=asked | parameters)
    assert answer.status_code == 200, answer.text
    groups: list[dict[str, Any]] = answer.json()["groups"]
    return groups


@pytest.mark.usefixtures("lamps")
async def test_energy_is_told_by_circuit_and_night(client: httpx2.AsyncClient) -> None:
    nights = await ask(client, group="circuit", span="night")
    together = await ask(client)

    grown = {(one["day"], one["group"]): one["measurements"]["energy_kwh"]["grown"] for one in nights}
    first = str((NOON - timedelta(days=3)).date())
    assert grown[first, "C1"] == pytest.approx(2.4)
    assert grown[first, "C2"] == pytest.approx(1.2)
    assert sum(1 for kwh in grown.values() if kwh) == 6
    (whole,) = together
    assert (whole["devices"], whole["readings"], whole["day"]) == (3, 216, None)
    assert whole["measurements"]["energy_kwh"]["grown"] == pytest.approx(3 * 3.6)
    assert 0 < whole["completeness"] <= 1


@pytest.mark.usefixtures("lamps")
async def test_days_are_those_of_the_municipality(client: httpx2.AsyncClient) -> None:
    days = await ask(client, span="day")

    assert len({one["day"] for one in days}) == 4
    assert [one["devices"] for one in days] == [3] * 4
    assert sum(one["readings"] for one in days) == 216


@pytest.mark.usefixtures("lamps")
async def test_day_that_is_not_over_is_not_due_yet(client: httpx2.AsyncClient) -> None:
    *ended, running = await ask(client, span="day")

    assert running["readings"] > 0
    assert (running["expected"], running["completeness"]) == (0, None)
    assert all(one["completeness"] > 0 for one in ended)


@pytest.mark.usefixtures("lamps")
async def test_past_of_a_device_that_moved_stays_where_it_was(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection, "byblos")
    await connection.execute(
        "WITH gone AS (INSERT INTO device_move (device_id, moved_at, municipality_id)"
        " SELECT id, $1, municipality_id FROM device WHERE name = 'l1')"
        " UPDATE device SET moved_at = $1,"
        " municipality_id = (SELECT id FROM municipality WHERE name = 'byblos') WHERE name = 'l1'",
        NOON + timedelta(minutes=1),
    )

    towns = await ask(client, group="municipality")

    assert [(one["devices"], one["readings"]) for one in towns] == [(3, 216)]
    assert towns[0]["group"] != "byblos"


async def test_cycles_are_counted_and_how_long_one_takes(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    began = NOON - timedelta(days=6)
    for name, rows_a_cycle in (("bin-1", 96), ("bin-2", 288)):
        bin_ = await builders.add(connection, name)
        rows = [
            {
                "observed_at": began + timedelta(minutes=15 * n),
                "fill_pct": 90.0 * (n % rows_a_cycle) / rows_a_cycle,
            }
            for n in range(576)
        ]
        await builders.store(connection, bin_, rows)
    while await rollups.turn(connection, [BIN], lambda: to_microseconds(NOON)):
        pass
    asked = {"kind": "bin", "measurements": "fill_pct", "since": str(began.date()), "group": "device"}

    both = await ask(client, **asked)
    (one,) = await ask(client, **asked, device="bin-2")

    counted = {found["group"]: found["measurements"]["fill_pct"] for found in both}
    assert {name: parts["cycles"] for name, parts in counted.items()} == {"bin-1": 5, "bin-2": 1}
    assert counted["bin-1"]["cycle_days"] == pytest.approx(575 / 96 / 5)
    assert one["measurements"]["fill_pct"] == counted["bin-2"]


async def test_what_cannot_be_answered_is_said(client: httpx2.AsyncClient) -> None:
    for wrong, said in (
        ({"kind": "kite"}, "kind: 'kite'"),
        ({"group": "colour"}, "none of municipality, district, street, device"),
        ({"measurements": "speed"}, "measurements: 'speed'"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until: must be after since"),
        ({"since": "2000-01-01", "span": "day"}, "at most 366 days"),
        ({"since": "0001-01-01"}, "since: "),
        ({"until": "9999-12-31"}, "until: "),
    ):
        answer = await client.get("/api/v1/statistics", params={"kind": "light"} | wrong)

        assert answer.status_code == 422
        assert said in answer.json()["detail"]
