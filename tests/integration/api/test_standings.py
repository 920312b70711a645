"""How devices stand, and the limits of their rules, by HTTP."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import httpx2

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


async def _names(client: httpx2.AsyncClient, **asked: object) -> list[str]:
    answer = await client.get("/api/v1/standings", params={k: str(v) for k, v in asked.items()})
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
    full = {"kind": "bin", "measurement": "fill_pct", "above": 80}
    assert await _names(client, **full, sort="highest") == ["bin-1", "bin-3"]

    page = (await client.get("/api/v1/standings", params={"limit": 2})).json()
    assert [one["name"] for one in (await client.get(page["next"])).json()["items"]] == ["bin-3", "light-1"]

    file = await client.get("/api/v1/standings", params={**full, "format": "csv", "bom": "true"})
    head, *rows = file.text.removeprefix("\ufeff").splitlines()
    assert file.content.startswith(b"\xef\xbb\xbfname,title,")
    assert [row.split(",")[0] for row in rows] == ["bin-1", "bin-3"]
    assert rows[0].split(",")[head.split(",").index("fill_pct")] == "91.0"

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
