"""Open data: nothing before somebody says so, and then never more than what a kind declares public."""

from __future__ import annotations

import csv
import io

import asyncpg
import httpx2
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI

from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.builders import KINDS, NOON

SETTING = "/api/v1/municipalities/tripoli/open-data"
SUSPECT_FILL = 1 << KINDS["bin"].measurement("fill_pct").bit


@pytest.fixture
async def stranger(app: FastAPI) -> httpx2.AsyncClient:
    """Somebody who shows nothing."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1")


@pytest.fixture
async def town(connection: asyncpg.Connection) -> None:
    """Two bins, whose titles name people, and a drone; another town, which never publishes."""
    one = await builders.add(connection, "bin-1", lat=34.43, lon=35.84, title="at Mrs Karami's door")
    await builders.report(connection, one, fill_pct=62.0, temperature_c=24.5, rssi_dbm=-90.0, battery_v=3.6)
    two = await builders.add(connection, "bin-2", attributes={"route": "secret route"})
    await builders.report(connection, two, quality=SUSPECT_FILL, fill_pct=190.0, temperature_c=20.0)
    drone = await builders.add(connection, "drone-1", kind="drone")
    await builders.report(connection, drone, lat=34.5, lon=35.9)
    await builders.add(connection, "bin-9", municipality="nablus")


@pytest.mark.usefixtures("town")
async def test_nothing_is_public_until_the_administrator_says_so_and_after(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    path = "/open-data/tripoli/bin.csv"
    before = await stranger.get(path)
    said = await client.put(SETTING, json={"licence": "CC-BY-4.0"})
    during = await stranger.get(path)
    other = await stranger.get("/open-data/nablus/bin.csv")
    drone = await stranger.get("/open-data/tripoli/drone.csv")
    gone = await client.delete(SETTING)
    after = await stranger.get(path)

    assert [a.status_code for a in (before, during, other, drone, after)] == [404, 200, 404, 404, 404]
    assert (said.json()["licence"], gone.status_code) == ("CC-BY-4.0", 204)
    assert (await client.get(SETTING)).json()["licence"] is None
    assert (await client.put(SETTING, json={"licence": "mine"})).status_code == 422


@pytest.mark.usefixtures("town")
async def test_files_hold_what_the_kind_declares_public_and_no_more(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    await client.put(SETTING, json={"licence": "CC0-1.0"})
    table = await stranger.get("/open-data/tripoli/bin.csv")
    map_ = await stranger.get("/open-data/tripoli/bin.geojson")
    columns = await stranger.get("/open-data/tripoli/bin.parquet")

    first, second = csv.DictReader(io.StringIO(table.text))
    wanted = {"device", "district", "lat", "lon", "observed_at", *KINDS["bin"].public}
    assert set(first) == wanted
    assert (first["device"], first["fill_pct"], first["lat"]) == ("bin-1", "62.0", "34.43")
    assert (second["fill_pct"], second["temperature_c"]) == ("", "20.0"), "what is not believed is not told"
    one, two = map_.json()["features"]
    assert one["geometry"] == {"type": "Point", "coordinates": [35.84, 34.43]}
    assert two["geometry"] is None
    assert set(one["properties"]) == wanted - {"lat", "lon"}
    read = pq.read_table(io.BytesIO(columns.content))
    assert set(read.column_names) == wanted
    assert read["observed_at"][0].as_py() == NOON
    for answer in (table, map_, columns):
        assert b"Karami" not in answer.content
        assert b"secret" not in answer.content
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.links["license"]["url"] == "https://creativecommons.org/publicdomain/zero/1.0/"


@pytest.mark.usefixtures("town")
async def test_catalogue_describes_every_file_and_all_can_be_fetched(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    empty = (await stranger.get("/open-data/catalogue.jsonld")).json()
    await client.put(SETTING, json={"licence": "ODbL-1.0"})
    catalogue = (await stranger.get("/open-data/catalogue.jsonld")).json()

    assert (empty["@type"], empty["dcat:dataset"]) == ("dcat:Catalog", [])
    public = [kind.name for kind in KINDS.values() if kind.public]
    assert [one["dct:identifier"] for one in catalogue["dcat:dataset"]] == [f"tripoli/{k}" for k in public]
    for dataset in catalogue["dcat:dataset"]:
        assert {text["@language"] for text in dataset["dct:title"]} == {"en", "fr", "ar"}
        for one in dataset["dcat:distribution"]:
            assert one["dct:license"]["@id"] == "https://opendatacommons.org/licenses/odbl/1-0/"
            fetched = await stranger.get(one["dcat:downloadURL"]["@id"])
            assert fetched.status_code == 200
            media_type = fetched.headers["content-type"].split(";")[0]
            assert one["dcat:mediaType"]["@id"].endswith(f"/{media_type}")


@pytest.mark.usefixtures("town")
async def test_page_says_in_three_languages_what_is_published(
    client: httpx2.AsyncClient, stranger: httpx2.AsyncClient
) -> None:
    empty = await stranger.get("/open-data")
    await client.put(SETTING, json={"licence": "CC-BY-4.0"})
    french = await stranger.get("/open-data", headers={"Accept-Language": "fr"})
    arabic = await stranger.get("/open-data?lang=ar")

    assert "No municipality publishes anything here yet." in empty.text
    assert 'href="/open-data/tripoli/bin.csv"' in french.text
    assert ("Données ouvertes" in french.text, french.headers["Content-Language"]) == (True, "fr")
    assert '<html lang="ar" dir="rtl">' in arabic.text
    assert "طرابلس" in arabic.text


async def test_who_may_not_hand_out_tokens_may_not_publish(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    token = await builders.token(connection, role=Role.OPERATOR, municipality="tripoli")
    as_operator = {"Authorization": f"Bearer {token}"}

    answer = await client.put(SETTING, json={"licence": "CC0-1.0"}, headers=as_operator)

    assert answer.status_code == 403
