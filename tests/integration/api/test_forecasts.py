"""Over HTTP: when a bin will be full, and what an alert stands back behind."""

from __future__ import annotations

import asyncpg
import httpx2

from tests.integration.api import builders
from tests.integration.rules.sweeps.sweeping import LIT, circuit, hear, sweep, with_default_rules
from tests.integration.rules.sweeps.test_families import fill
from tests.integration.rules.town import add_device


async def test_forecast_is_shown_with_what_it_rests_on(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await with_default_rules(connection)
    await fill(connection, await add_device(connection, "B-1"), -1800, 1, 20, 2)

    (forecast,) = (await client.get("/api/v1/devices/B-1/forecasts")).json()

    assert (forecast["rule"], forecast["measurement"], forecast["reaches"]) == (
        "bin-full-soon",
        "fill_pct",
        85,
    )
    assert round(forecast["rate_per_h"], 2) == 2
    assert forecast["samples"] > 10
    assert forecast["p50_at"] <= forecast["p80_at"]


async def test_forecast_of_a_device_without_one_is_empty_and_of_a_stranger_not_found(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")

    assert (await client.get("/api/v1/devices/bin-1/forecasts")).json() == []
    assert (await client.get("/api/v1/devices/bin-2/forecasts")).status_code == 404


async def test_alert_says_what_it_stands_back_behind(
    client: httpx2.AsyncClient, connection: asyncpg.Connection
) -> None:
    await with_default_rules(connection)
    await hear(connection, await circuit(connection, lamps=3), 0, LIT)
    await sweep(connection, 23)
    await sweep(connection, 46)

    items = (await client.get("/api/v1/alerts?state=firing")).json()["items"]

    (incident,) = [a for a in items if a["rule"] == "circuit-down"]
    assert [a["inhibited_by"] for a in items if a["rule"] == "silent"] == [incident["id"]] * 3
    assert (incident["inhibited_by"], incident["held_until"]) == (None, None)
    assert all(a["held_until"] for a in items if a["rule"] == "silent")
