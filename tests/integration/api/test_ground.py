"""Districts and streets over HTTP, and what is asked for by district."""

from __future__ import annotations

import json

import asyncpg
import httpx2
import pytest

from api.http.caller import BODY_LIMIT, LARGE_BODY_LIMIT
from tests.integration.api import builders
from tests.unit.devices.ground.files import EAST, STREET, WEST, feature, file

LAYERS = "/api/v1/municipalities/tripoli/layers"
DISTRICTS = f"{LAYERS}/districts"
CONTENT = file(feature(WEST, name__en="West", name__ar="غرب"), feature(EAST, name="East"))
GEOJSON = {"Content-Type": "application/geo+json"}


@pytest.fixture
async def town(client: httpx2.AsyncClient, connection: asyncpg.Connection) -> httpx2.AsyncClient:
    """Tripoli with two districts, a street, and a bin in each district."""
    await builders.add_town(connection)
    for layer, content in (("districts", CONTENT), ("streets", file(feature(STREET, name="Azmi")))):
        put = await client.put(f"{LAYERS}/{layer}", content=content, headers=GEOJSON)
        assert put.status_code == 200, put.text
    for name, lon in (("bin-w", 35.83), ("bin-e", 35.87)):
        device = await builders.add(connection, name, lat=34.435, lon=lon)
        await builders.report(connection, device, fill_pct=50.0)
        await builders.fire(connection, device)
    return client


async def test_layer_is_put_read_unchanged_and_put_again(town: httpx2.AsyncClient) -> None:
    listed = (await town.get(LAYERS)).json()["items"]
    read = await town.get(DISTRICTS)
    again = await town.get(DISTRICTS, headers={"If-None-Match": read.headers["ETag"]})
    put = await town.put(DISTRICTS, content=read.content)
    without = file(feature(WEST, code="west", name__en="West", name__ar="غرب"))
    dry = await town.put(f"{DISTRICTS}?dry_run=true", content=without)
    replaced = await town.put(DISTRICTS, content=without)

    assert [(one["layer"], one["features"], one["devices"]) for one in listed] == [
        ("districts", 2, 2),
        ("streets", 1, 0),
    ]
    assert read.headers["Content-Type"] == "application/geo+json"
    assert [one["id"] for one in read.json()["features"]] == ["east", "west"]
    assert again.status_code == 304
    assert put.json() == {
        "written": True, "added": 0, "changed": 0, "unchanged": 2, "removed": 0, "devices": 0
    }  # fmt: skip
    assert (dry.json()["written"], dry.json()["removed"]) == (False, 1)
    assert (replaced.json()["written"], replaced.json()["removed"], replaced.json()["devices"]) == (
        True,
        1,
        1,
    )


async def test_layer_with_problems_is_refused_with_a_pointer_each(town: httpx2.AsyncClient) -> None:
    refused = await town.put(
        DISTRICTS, content=file(feature(WEST, name="West"), feature(STREET, name="Azmi"))
    )
    unknown = await town.put(DISTRICTS.replace("tripoli", "mars"), content=CONTENT)

    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "#/features/1/geometry/type"
    assert error["detail"].startswith("features[1] azmi: LineString: a district is a Polygon")
    assert unknown.status_code == 404
    assert (await town.get(DISTRICTS)).json()["features"][0]["id"] == "east"


async def test_answer_lists_a_hundred_problems_and_counts_the_others(town: httpx2.AsyncClient) -> None:
    wrong = [feature(STREET, code=f"s{n}", name="S") for n in range(103)]

    refused = await town.put(DISTRICTS, content=file(*wrong))

    errors = refused.json()["errors"]
    assert (len(errors), errors[-1]) == (101, {"pointer": "#", "detail": "3 more problems"})


async def test_maps_may_be_larger_than_other_bodies(town: httpx2.AsyncClient) -> None:
    long = json.dumps({**json.loads(CONTENT), "about": "x" * BODY_LIMIT})

    assert (await town.put(DISTRICTS, content=long)).status_code == 200
    assert (await town.put(DISTRICTS, content=b" " * (LARGE_BODY_LIMIT + 1))).status_code == 413
    assert (await town.post("/api/v1/devices", content=long)).status_code == 413


async def test_lists_are_read_by_district(town: httpx2.AsyncClient) -> None:
    for path in ("devices", "latest", "alerts"):
        found = (await town.get(f"/api/v1/{path}?district=east")).json()["items"]
        other = (await town.get(f"/api/v1/{path}?district=north")).json()["items"]

        assert [(one.get("device", one.get("name")), one["district"]) for one in found] == [("bin-e", "east")]
        assert other == []


async def test_device_says_its_district_which_is_set_by_hand_and_back(town: httpx2.AsyncClient) -> None:
    before = (await town.get("/api/v1/devices/bin-w")).json()
    by_hand = await town.patch("/api/v1/devices/bin-w", json={"district": "east"})
    back = await town.patch("/api/v1/devices/bin-w", json={"district": None})
    wrong = await town.patch("/api/v1/devices/bin-w", json={"district": "north"})

    assert (before["district"], before["district_title"]) == ("west", {"en": "West", "ar": "غرب"})
    assert (before["street"], before["street_title"]) == (None, {})
    assert (by_hand.json()["district"], by_hand.json()["district_by_hand"]) == ("east", True)
    assert (back.json()["district"], back.json()["district_by_hand"]) == ("west", False)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "#/district")


async def test_alert_of_a_device_that_moved_away_is_in_no_district_of_its_new_municipality(
    town: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await connection.execute("INSERT INTO municipality (name) VALUES ('saida')")
    other = DISTRICTS.replace("tripoli", "saida")
    assert (await town.put(other, content=CONTENT)).status_code == 200
    await connection.execute("UPDATE alert SET opened_at = opened_at - interval '1 hour'")
    moved = await town.patch("/api/v1/devices/bin-w", json={"municipality": "saida"})

    found = {one["device"]: one for one in (await town.get("/api/v1/alerts")).json()["items"]}
    told = await connection.fetchrow("SELECT municipality, district FROM v_alert WHERE device = 'bin-w'")

    assert (moved.json()["municipality"], moved.json()["district"]) == ("saida", "west")
    assert (found["bin-w"]["municipality"], found["bin-w"]["district"]) == ("tripoli", None)
    assert told is not None
    assert tuple(told) == ("tripoli", None)
