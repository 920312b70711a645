"""Zones and circuits of a part of the map, and the platform's own tiles, as programs ask for them."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import httpx2
import pytest

from api.app import create_app
from api.tiles.source import TileSource
from nabd.demo.tiles.archive import write
from tests.integration.api import builders

TOWN = {"bbox": "35.80,34.40,35.90,34.47"}
FIELD = {
    "type": "Polygon",
    "coordinates": [[[35.84, 34.43], [35.85, 34.43], [35.85, 34.44], [35.84, 34.43]]],
}


async def test_areas_are_zones_among_attributes_and_lines_through_what_hangs_on_a_circuit(
    connection: asyncpg.Connection, client: httpx2.AsyncClient
) -> None:
    await builders.add(connection, "CIR-1", kind="circuit", title="Circuit 1", titles={"fr": "Circuit n° 1"})
    for i, lat in enumerate((34.431, 34.433, 34.432)):
        await builders.add(connection, f"L-{i}", kind="light", parent="CIR-1", lat=lat, lon=35.85)
    await builders.add(
        connection, "DRN-1", kind="drone", lat=34.432, lon=35.845, attributes={"zone_area": FIELD}
    )

    answer = await client.get("/api/v1/map/areas", params=TOWN)
    part = await client.get("/api/v1/map/areas", params={"bbox": "35.849,34.4325,35.851,34.4335"})
    away = await client.get("/api/v1/map/areas", params={"bbox": "10,10,11,11"})

    assert answer.headers["content-type"] == "application/geo+json"
    zone, circuit = answer.json()["features"]
    assert zone["properties"] == {
        "device": "DRN-1", "title": "", "titles": {}, "kind": "drone", "attribute": "zone_area",
    }  # fmt: skip
    assert circuit["properties"]["titles"] == {"fr": "Circuit n° 1"}
    assert zone["geometry"]["type"] == "Polygon"
    # In the order in which they stand, not that in which they were registered; whole where one is seen.
    assert circuit["geometry"] == {
        "type": "LineString",
        "coordinates": [[35.85, 34.431], [35.85, 34.432], [35.85, 34.433]],
    }
    assert part.json()["features"] == [circuit]
    assert away.json()["features"] == []


@pytest.mark.parametrize("bbox", ["1,2,3", "a,b,c,d", "3,2,1,4"])
async def test_areas_of_no_rectangle_are_refused(client: httpx2.AsyncClient, bbox: str) -> None:
    answer = await client.get("/api/v1/map/areas", params={"bbox": bbox})
    assert (answer.status_code, answer.json()["detail"]) == (422, "bbox is west,south,east,north in degrees")


async def test_installation_without_tiles_says_so(client: httpx2.AsyncClient) -> None:
    said = (await client.get("/api/v1/map/tiles")).json()
    tile = await client.get("/api/v1/map/tiles/0/0/0")
    assert (said["url"], tile.status_code) == (None, 204)


async def test_own_file_is_answered_tile_by_tile(pool: asyncpg.Pool, tmp_path: Path) -> None:
    await builders.let_in(pool)
    file = tmp_path / "town.pmtiles"
    file.write_bytes(write({(3, 4, 3): b"land" * 500}, (35.0, 34.0, 36.0, 35.0)))
    app = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=True,
        tiles=TileSource(file=file, attribution="© the town"),
    )
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asking:
        stranger = await asking.get("/api/v1/map/tiles/3/4/3")
        asking.headers.update(builders.BEARER)
        said = (await asking.get("/api/v1/map/tiles")).json()
        there, beside = [await asking.get(f"/api/v1/map/tiles/3/{x}/3") for x in (4, 5)]

    assert stranger.status_code == 401
    assert said == {
        "url": "/api/v1/map/tiles/{z}/{x}/{y}",
        "format": "vector",
        "first_zoom": 3,
        "last_zoom": 3,
        "bounds": [35.0, 34.0, 36.0, 35.0],
        "attribution": "© the town",
    }
    assert (there.status_code, there.content) == (200, b"land" * 500)
    assert there.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert (beside.status_code, beside.content) == (204, b"")
