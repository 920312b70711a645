"""How devices stand, and the limits of their rules, by HTTP."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import asyncpg
import httpx2
import pytest

from alerts.overview.standings import StandingOrder
from rules.catalogue import editing
from rules.loading.files import parse
from tests.actors import actor
from tests.integration.api import builders
from tests.integration.api.builders import NOON

OVERFLOW = """
id: bin-overflow
kind: bin
summary: {en: x, fr: x, ar: x}
levels: {warning: "fill_pct >= attr(overflow_at, 85)", critical: fill_pct >= 95}
"""


async def _names(client: httpx2.AsyncClient, **asked: str) -> list[str]:
    answer = await client.get("/api/v1/standings", params=asked)
    assert answer.status_code == 200, answer.text
    return [one["name"] for one in answer.json()["items"]]


async def test_devices_are_found_by_status_words_and_value_and_leave_as_a_file(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    for n, fill in ((1, 91.0), (2, 40.0), (3, 85.5)):
        device = await builders.add(connection, f"bin-{n}", title=f"Azmi {n % 2}")
        await builders.report(connection, device, at=NOON - timedelta(minutes=n), fill_pct=fill)
    await builders.fire(connection, await builders.add(connection, "light-1", kind="light"))
    await builders.fire(connection, device, rule="silent", family="silent")

    assert await _names(client) == ["bin-1", "bin-2", "bin-3", "light-1"]
    assert await _names(client, sort="worst") == ["light-1", "bin-3", "bin-1", "bin-2"]
    assert await _names(client, sort="heard", kind="bin") == ["bin-3", "bin-2", "bin-1"]
    assert await _names(client, status="silent") == ["bin-3"]
    assert await _names(client, status="alerting") == ["light-1"]
    assert await _names(client, status="ok") == ["bin-1", "bin-2"]
    assert await _names(client, words="azmi 1") == ["bin-1", "bin-3"]
    full = {"kind": "bin", "measurement": "fill_pct", "above": "80"}
    assert await _names(client, **full, sort="highest") == ["bin-1", "bin-3"]

    for asked in ({"sort": sort, "measurement": "fill_pct"} for sort in StandingOrder):
        page = (await client.get("/api/v1/standings", params={"limit": 2, **asked})).json()
        rest = (await client.get(page["next"])).json()["items"]
        names = [one["name"] for one in (*page["items"], *rest)]
        assert names == await _names(client, **asked), "a page begins behind the last one of the page before"
    assert (await client.get("/api/v1/standings", params={"after": "bin-1"})).status_code == 422

    file = await client.get("/api/v1/standings", params={**full, "format": "csv", "bom": "true"})
    head, *rows = file.text.removeprefix("\ufeff").splitlines()
    assert file.content.startswith(b"\xef\xbb\xbfname,title,")
    assert [row.split(",")[0] for row in rows] == ["bin-1", "bin-3"]
    assert rows[0].split(",")[head.split(",").index("fill_pct")] == "91.0"

    drone = await builders.add(connection, "drone-1", kind="drone", lat=34.0, lon=35.0)
    await builders.report(connection, drone, at=NOON, lat=34.5, lon=35.5)
    file = await client.get("/api/v1/standings", params={"kind": "drone", "format": "csv"})
    [flown] = csv.DictReader(io.StringIO(file.text))
    assert (flown["lat"], flown["measured_lat"]) == ("34.0", "34.5"), "its place, and where it is"

    refused = await client.get("/api/v1/standings", params={"above": 80})
    assert refused.status_code == 422


async def test_limits_of_a_device_count_its_attributes(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    rule = parse(OVERFLOW, builders.KINDS)
    await editing.apply(connection, rule, by=await actor(connection, "Rima"), now=builders.now())
    await builders.add(connection, "bin-1", attributes={"overflow_at": 70})

    items = (await client.get("/api/v1/devices/bin-1/limits")).json()["items"]

    assert [(one["severity"], one["side"], one["value"]) for one in items] == [
        ("warning", "above", 70.0),
        ("critical", "above", 95.0),
    ]
    assert (await client.get("/api/v1/devices/bin-9/limits")).status_code == 404


async def test_alerts_and_orders_leave_as_files_with_every_row(
    client: httpx2.AsyncClient, connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.exports.ROWS_AT_A_TIME", 2)
    for n in range(5):
        device = await builders.add(connection, f"bin-{n}")
        alert = await builders.fire(connection, device)
        await client.post("/api/v1/work-orders", json={"device": device.name, "alerts": [alert]})

    alerts = await client.get("/api/v1/exports/alerts", params={"bom": "true", "lang": "ar", "kind": "bin"})
    orders = await client.get("/api/v1/exports/work-orders", params={"format": "ndjson", "open": "true"})
    none = await client.get("/api/v1/exports/work-orders", params={"overdue": "true"})

    rows = list(csv.DictReader(io.StringIO(alerts.content.decode("utf-8-sig"))))
    assert [row["device"] for row in rows] == [f"bin-{n}" for n in reversed(range(5))]
    assert rows[0]["sentence"] == "bin-4 ممتلئ"
    assert alerts.headers["Content-Disposition"] == 'attachment; filename="alerts.csv"'
    assert [json.loads(line)["device"] for line in orders.text.splitlines()] == [
        f"bin-{n}" for n in reversed(range(5))
    ]
    assert len(none.text.splitlines()) == 1, "a header, and nobody is late"
