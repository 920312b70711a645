"""Lists as files: the same rows in CSV, NDJSON and Parquet, in constant memory."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx2
import pyarrow as pa
import pyarrow.parquet as pq

from api.http.files import readings_body
from api.http.formats import Format
from devices.registry.editing import edit_device
from people.roles import Role
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.conftest import bearing
from tests.integration.work.order_rows import add_order

NOON = builders.NOON
DAY = timedelta(days=1)
SPAN = {"start": (NOON - DAY).isoformat(), "end": (NOON + DAY).isoformat()}
OF = {"municipality": "tripoli", "kind": "bin", **SPAN}


async def table(client: httpx2.AsyncClient, address: str, **asked: Any) -> pa.Table:
    """Ask for a Parquet file and read it."""
    answer = await client.get(f"/api/v1{address}", params={**asked, "format": "parquet"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    assert answer.headers["content-disposition"].endswith('.parquet"')
    return pq.read_table(io.BytesIO(answer.content))


async def lines(client: httpx2.AsyncClient, address: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1{address}", params={**asked, "format": "ndjson"})
    return [json.loads(line) for line in answer.text.splitlines()]


async def cells(client: httpx2.AsyncClient, address: str, **asked: Any) -> list[dict[str, str]]:
    answer = await client.get(f"/api/v1{address}", params={**asked, "format": "csv", "bom": True})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_alerts_orders_and_devices_are_the_same_in_every_format(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", lat=34.4, lon=35.8)
    await builders.fire(connection, device)
    await add_order(connection, device, title="=look")
    await builders.report(connection, device, fill_pct=61.5)

    alerts = await table(client, "/exports/alerts", lang="ar")
    orders = await table(client, "/exports/work-orders")
    bins = await table(client, "/standings", kind="bin")
    of_all = await table(client, "/standings")

    (alert,), (alert_line,) = alerts.to_pylist(), await lines(client, "/exports/alerts")
    assert (alert["id"], alert["opened_at"], alert["resolved_at"]) == (alert_line["id"], NOON, None)
    assert alert["sentence"] == alert_line["summary"]["ar"]
    (order,), (order_cells,) = orders.to_pylist(), await cells(client, "/exports/work-orders")
    assert (order["title"], order_cells["title"]) == ("=look", "'=look"), "spreadsheets alone evaluate cells"
    assert (order["created_at"], json.loads(order["alerts"])) == (NOON, [])
    (found,) = bins.to_pylist()
    assert (found["fill_pct"], found["lat"], found["observed_at"]) == (61.5, 34.4, NOON)
    assert bins.schema.field("fill_pct").metadata[b"unit"] == b"%"
    assert json.loads(of_all.to_pylist()[0]["measurements"])["fill_pct"] == 61.5


async def test_alerts_orders_and_devices_are_features_where_their_device_stands(
    client: httpx2.AsyncClient, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    placed = await builders.add(connection, "bin-1", lat=34.4, lon=35.8)
    nowhere = await builders.add(connection, "drone-1", kind="drone")
    foreign = await builders.add(connection, "bin-9", municipality="nablus", lat=34.6, lon=35.9)
    moved = await builders.add(connection, "bin-2", lat=34.5, lon=35.9)
    for device in (placed, nowhere, foreign, moved):
        await builders.fire(connection, device, at=NOON - timedelta(hours=2))
        await add_order(connection, device, title="look")
    await edit_device(
        connection, builders.KINDS, "bin-2", {"municipality": "nablus"}, now=builders.now, by=PLATFORM
    )
    await builders.report(connection, placed, fill_pct=61.5)
    token = await builders.token(connection, role=Role.OPERATOR, municipality="tripoli")

    async with bearing(pool, token) as program:
        alerts = await features(program, "/exports/alerts", lang="fr", kind="bin")
        every = await features(program, "/exports/alerts")
        orders = await features(program, "/exports/work-orders")
        bins = await features(program, "/standings", kind="bin")
        asked = await program.get("/api/v1/standings", headers={"Accept": "application/geo+json"})

    by_device = {one["properties"]["device"]: one for one in alerts}
    assert by_device.keys() == {"bin-1", "bin-2"}, "as the list, cut to who asks"
    assert by_device["bin-1"]["geometry"] == {"type": "Point", "coordinates": [35.8, 34.4]}
    assert by_device["bin-1"]["properties"]["sentence"] == "bin-1 est plein"
    assert by_device["bin-1"]["id"] == by_device["bin-1"]["properties"]["id"]
    assert builders.instant(by_device["bin-1"]["properties"]["opened_at"]) == NOON - timedelta(hours=2)
    assert "lat" not in by_device["bin-1"]["properties"]
    assert by_device["bin-2"]["geometry"] is None, "where it stands in another municipality is not told"
    assert {one["properties"]["device"]: one["geometry"] for one in every}["drone-1"] is None
    assert [35.8, 34.4] in [(one["geometry"] or {}).get("coordinates") for one in orders]
    assert [(one["id"], one["properties"]["fill_pct"]) for one in bins] == [("bin-1", 61.5)]
    assert asked.headers["content-type"] == "application/geo+json"
    refused = await client.get("/api/v1/devices/bin-1/readings", params={"format": "geojson"})
    accepted = await client.get("/api/v1/devices/bin-1/readings", headers={"Accept": "application/geo+json"})
    assert (refused.status_code, accepted.headers["content-type"]) == (422, "application/json")
    assert await features(client, "/exports/alerts", kind="light") == []


async def features(client: httpx2.AsyncClient, address: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1{address}", params={**asked, "format": "geojson"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-disposition"].endswith('.geojson"')
    collection = answer.json()
    assert collection["type"] == "FeatureCollection"
    assert all(one["type"] == "Feature" for one in collection["features"])
    found: list[dict[str, Any]] = collection["features"]
    return found


async def test_readings_of_a_device_are_read_back_equal(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    times = [NOON + timedelta(minutes=n) for n in range(-30, 30)]
    rows = [{"observed_at": at, "fill_pct": float(n), "extra": {"n": n}} for n, at in enumerate(times)]
    await builders.store(connection, device, [*rows, {"observed_at": NOON + DAY / 2}])
    address = "/devices/bin-1/readings"

    raw = (await table(client, address, **SPAN)).to_pylist()
    hours = (await table(client, address, **SPAN, bucket="1h")).to_pylist()

    assert [(row["observed_at"], row["fill_pct"]) for row in raw] == [*zip(times, range(60), strict=True), (
        NOON + DAY / 2, None)]  # fmt: skip
    assert json.loads(raw[7]["extra"]) == {"n": 7}
    document = await lines(client, address, **SPAN, bucket="1h")
    said = [row["measurements"].get("fill_pct", {"avg": None, "count": None}) for row in document]
    assert [(row["fill_pct_avg"], row["fill_pct_count"]) for row in hours] == [
        (one["avg"], one["count"]) for one in said
    ]
    accepted = await client.get(f"/api/v1{address}", headers={"accept": "application/vnd.apache.parquet"})
    assert accepted.content.startswith(b"PAR1")


async def test_readings_of_a_kind_are_those_observed_while_the_device_stood_there(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    stayed, moved, elsewhere = [
        await builders.add(connection, name, municipality=town)
        for name, town in (("bin-1", "tripoli"), ("bin-2", "nablus"), ("bin-3", "nablus"))
    ]
    for device in (stayed, moved, elsewhere):
        times = [NOON - timedelta(hours=2), NOON, NOON + timedelta(hours=2)]
        await builders.store(connection, device, [{"observed_at": at, "fill_pct": 5.5} for at in times])
    await connection.execute(
        "INSERT INTO device_move (device_id, moved_at, municipality_id)"
        " SELECT $1, $2, id FROM municipality WHERE name = 'tripoli'",
        moved.id,
        NOON - timedelta(hours=1),
    )
    await connection.execute(
        "UPDATE device SET moved_at = $2 WHERE id = $1", moved.id, NOON - timedelta(hours=1)
    )

    found = (await table(client, "/exports/readings", **OF)).to_pylist()
    document = await lines(client, "/exports/readings", **OF)
    shown = await cells(client, "/exports/readings", **OF)

    assert [row["device"] for row in found] == ["bin-1"] * 3 + ["bin-2"]
    assert [(row["device"], row["measurements"]) for row in document] == [
        (row["device"], {"fill_pct": 5.5}) for row in found
    ]
    assert {row["fill_pct"] for row in shown} == {"5.5"}
    instants = [builders.instant(row["observed_at"]) for row in (*document, *shown)]
    assert instants == [row["observed_at"] for row in found] * 2


async def test_what_no_file_can_hold_is_refused_with_what_would_do(
    client: httpx2.AsyncClient, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    wide = {**OF, "start": (NOON - 40 * DAY).isoformat()}
    answers = [
        await client.get("/api/v1/exports/readings", params=asked)
        for asked in (
            {**OF, "kind": "boat"},
            wide,
            {**OF, "format": "json"},
            {**OF, "municipality": "atlantis"},
        )
    ]
    assert [answer.status_code for answer in answers] == [404, 422, 422, 404]
    assert "31 days" in answers[1].text
    await builders.add_town(connection, "nablus")
    abroad = await builders.token(connection, role=Role.OPERATOR, municipality="nablus")
    async with bearing(pool, abroad) as program:
        assert (await program.get("/api/v1/exports/readings", params=OF)).status_code == 404


async def test_parquet_of_nothing_has_its_columns() -> None:
    async def nothing() -> Any:
        return
        yield

    kind = builders.KINDS["bin"]
    body = b"".join([piece async for piece in readings_body(Format.PARQUET, kind, nothing())])

    found = pq.read_table(io.BytesIO(body))
    assert (found.num_rows, found.schema.field("observed_at").type) == (0, pa.timestamp("us", tz="UTC"))
