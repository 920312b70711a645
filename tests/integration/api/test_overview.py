"""The map and the numbers of a town: devices one by one or in cells, at an instant, of one's own towns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pytest

from alerts.overview import device_map
from alerts.transition import Severity
from devices.instants import rfc3339
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.conftest import bearing


@pytest.fixture
async def town(connection: asyncpg.Connection) -> None:
    """Eight bins in a row, one silent, one critical, one that never reported; a lamp lies far off."""
    for i in range(8):
        device = await builders.add(connection, f"bin-{i}", lat=34.43, lon=35.84 + i / 1000)
        if i != 7:
            await builders.report(connection, device, fill_pct=50.0)
        if i == 1:
            await builders.fire(connection, device, rule="quiet", family="silent", severity=Severity.MINOR)
        if i == 2:
            await builders.fire(connection, device, severity=Severity.CRITICAL, at=NOON - timedelta(hours=2))
    await builders.add(connection, "light-0", kind="light", lat=34.1, lon=35.4)


async def asked(client: httpx2.AsyncClient, **query: Any) -> dict[str, Any]:
    """Return the map that is asked for."""
    answer = await client.get("/api/v1/map", params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.usefixtures("town")
async def test_few_devices_are_answered_one_by_one_with_their_state(client: httpx2.AsyncClient) -> None:
    found = await asked(client, bbox="35.8,34.4,35.9,34.5", zoom=13)

    assert found["count"] == 8
    assert found["cells"] == []
    assert {one["name"]: one["status"] for one in found["devices"]} == {
        **{f"bin-{i}": "ok" for i in (0, 3, 4, 5, 6)},
        "bin-1": "silent",
        "bin-2": "critical",
        "bin-7": "none",
    }
    assert found["by_status"] == {"critical": 1, "silent": 1, "ok": 5, "none": 1}
    # The worst is drawn last, over the others.
    assert found["devices"][-1]["name"] == "bin-2"


@pytest.mark.usefixtures("town")
async def test_many_devices_are_answered_in_cells_of_the_zoom(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_map, "FEW", 4)

    near = await asked(client, bbox="35.8,34.4,35.9,34.5", zoom=16)
    far = await asked(client, bbox="35.8,34.4,35.9,34.5", zoom=10)

    assert near["devices"] == far["devices"] == []
    assert len(near["cells"]) > len(far["cells"]) >= 1
    assert sum(cell["count"] for cell in far["cells"]) == sum(cell["count"] for cell in near["cells"]) == 8
    assert far["cells"][-1]["status"] == "critical"


@pytest.mark.usefixtures("town")
async def test_map_follows_filters(client: httpx2.AsyncClient) -> None:
    for query, names in [
        ({"severity": "critical"}, ["bin-2"]),
        ({"rule": "quiet"}, ["bin-1"]),
        ({"kind": "light"}, ["light-0"]),
        ({"words": "BIN-٣"}, ["bin-3"]),
        ({"municipality": "tripoli", "district": "nowhere"}, []),
    ]:
        assert [one["name"] for one in (await asked(client, **query))["devices"]] == names, query


@pytest.mark.usefixtures("town")
async def test_map_of_an_instant_knows_the_alerts_that_were_open_then(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await connection.fetchrow("SELECT * FROM device WHERE name = 'bin-2'")
    assert device is not None

    before = await asked(client, words="bin-2", at=rfc3339(NOON - timedelta(hours=3)))
    during = await asked(client, words="bin-2", at=rfc3339(NOON - timedelta(hours=1)))

    assert [one["status"] for one in (*before["devices"], *during["devices"])] == ["ok", "critical"]


async def test_bounds_are_of_the_middle_and_a_device_far_off_does_not_shrink_the_town(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for i in range(120):
        await builders.add(connection, f"bin-{i}", lat=34.43 + i / 10_000, lon=35.84)
    await builders.add(connection, "stray", lat=33.8, lon=35.2)

    bounds = (await asked(client))["bounds"]

    assert 34.42 < bounds["south"] < bounds["north"] < 34.45
    assert bounds["west"] == bounds["east"] == 35.84


async def test_device_that_moves_stands_where_it_last_was_unless_that_is_not_believed(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    bit = {one.name: one.bit for one in builders.KINDS["drone"].measurements}["lat"]
    for name, quality in (("drone-1", 0), ("drone-2", 1 << bit)):
        drone = await builders.add(connection, name, kind="drone", lat=34.0, lon=35.0)
        await builders.report(connection, drone, quality=quality, lat=34.5, lon=35.5)

    found = await asked(client)

    assert {one["name"]: one["lat"] for one in found["devices"]} == {"drone-1": 34.5, "drone-2": 34.0}


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "10,0,5,5", "nan,0,1,1", "0,inf,1,inf"])
async def test_what_is_no_rectangle_is_refused(client: httpx2.AsyncClient, bbox: str) -> None:
    assert (await client.get("/api/v1/map", params={"bbox": bbox})).status_code == 422


async def test_reader_sees_their_own_municipality_only(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1", lat=34.43, lon=35.84)
    await builders.fire(
        connection, await builders.add(connection, "bin-2", municipality="nablus", lat=34.43, lon=35.84)
    )
    token = await builders.token(connection, role=Role.OPERATOR, municipality="tripoli")

    async with bearing(pool, token) as client:
        assert [one["name"] for one in (await asked(client))["devices"]] == ["bin-1"]
