"""Figures as the API and the command give them, of rows in the database."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import asyncpg
import httpx2

from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.conftest import app, bearing, client, kept, own_pool  # noqa: F401 - fixtures
from tests.integration.work.order_rows import add_order, happen

NOON = builders.NOON
H = timedelta(hours=1)
OF = {"municipality": "tripoli", "from": (NOON - 24 * H).isoformat(), "until": (NOON + 24 * H).isoformat()}


async def test_figures_count_orders_and_alerts_up_to_the_present(
    client: httpx2.AsyncClient,  # noqa: F811
    connection: asyncpg.Connection,
) -> None:
    device = await builders.add(connection, "bin-1")
    elsewhere = await builders.add(connection, "bin-2", municipality="nablus")
    await builders.fire(connection, device, rule="=overflow", at=NOON - H)
    done = {
        "state": "done",
        "created_at": NOON - 9 * H,
        "accepted_at": NOON - 8 * H,
        "ended_at": NOON - 5 * H,
    }
    order = await add_order(
        connection, device, **done, rule="=overflow", verification="verified", verified_at=NOON - H
    )
    await happen(connection, order, "done", at=NOON - 5 * H)
    await add_order(connection, device, created_at=NOON - 3 * H, response_due_at=NOON - 2 * H)
    await add_order(connection, elsewhere, created_at=NOON - 3 * H)

    answer = (await client.get("/api/v1/figures", params=OF)).json()
    by_rule = await client.get("/api/v1/figures", params={**OF, "by": "rule", "format": "csv", "bom": True})

    (found,) = answer["figures"]
    assert found["until_at"] == f"{NOON:%Y-%m-%dT%H:%M:%SZ}", "not beyond the present"
    assert (found["made"], found["done"], found["open"]["count"], found["open"]["overdue"]) == (2, 1, 1, 1)
    assert (found["response"]["median_s"], found["response"]["share"]) == (3600, 0.5)
    assert (found["repair"]["median_s"], found["effectiveness"]["share"]) == (14400, 1.0)
    assert found["alerts"] == {"opened": 1, "resolved": 0, "still_open": 1}
    assert by_rule.content.startswith(b"\xef\xbb\xbf")
    first, none = csv.DictReader(io.StringIO(by_rule.content.decode("utf-8-sig")))
    assert (first["group"], first["made"], first["alerts_opened"]) == ("'=overflow", "1", "1")
    assert (none["group"], none["repair_median_s"], none["made"]) == ("", "", "1")


async def test_what_cannot_be_counted_is_refused(
    client: httpx2.AsyncClient,  # noqa: F811
    connection: asyncpg.Connection,
) -> None:
    await builders.add_town(connection)
    later = await client.get("/api/v1/figures", params={**OF, "from": (NOON + H).isoformat()})
    unknown = await client.get("/api/v1/figures", params={**OF, "municipality": "atlantis"})
    weeks = await client.get("/api/v1/figures", params={**OF, "from": "1990-01-01T00:00:00Z", "per": "week"})

    weekly = await client.get("/api/v1/figures", params={**OF, "per": "week", "format": "csv"})
    assert next(csv.DictReader(io.StringIO(weekly.text)))["period"].startswith("20")
    assert [(r.status_code) for r in (later, unknown, weeks)] == [422, 404, 422]


async def test_teams_are_not_shown_to_who_sees_no_names(
    pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    ministry = await builders.token(connection, role=Role.MINISTRY)
    async with bearing(pool, ministry) as program:
        teams = await program.get("/api/v1/figures", params={**OF, "by": "team"})
        kinds = await program.get("/api/v1/figures", params={**OF, "by": "kind"})

    assert (teams.status_code, kinds.status_code) == (403, 200)
