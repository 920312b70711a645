"""The report of a week as the API and the command give it."""

from __future__ import annotations

import base64
import hashlib
from datetime import timedelta

import asyncpg
import httpx2

from devices.time_zones import zone_named
from people.roles import Role
from tests.integration.api import builders
from tests.integration.api.conftest import app, bearing, client, kept, own_pool  # noqa: F401 - fixtures
from tests.integration.work.order_rows import add_order, happen
from work.figures.span import monday_of, week, week_name
from work.weekly.reading import read_report

H, BEIRUT = timedelta(hours=1), zone_named("Asia/Beirut")
NOON = builders.NOON
URL = "/api/v1/reports/weekly"


async def test_a_week_is_told_in_the_language_that_is_asked_for(
    client: httpx2.AsyncClient,  # noqa: F811
    connection: asyncpg.Connection,
) -> None:
    device = await builders.add(
        connection, "light-7", kind="light", title="Corniche <12>", titles={"ar": "الكورنيش"}
    )
    for hours in (5, 4, 3):
        await add_order(connection, device, title="Change the lamp", created_at=NOON - timedelta(hours=hours))
    monday = monday_of(NOON.astimezone(zone_named("Asia/Beirut")).date())
    this = {"municipality": "tripoli", "week": week_name(monday)}

    arabic = await client.get(URL, params={**this, "lang": "ar"})
    english = await client.get(URL, params=this, headers={"Accept-Language": "en"})
    before = await client.get(URL, params={"municipality": "tripoli"})
    later = await client.get(URL, params={**this, "week": week_name(monday + timedelta(days=14))})
    wrong = await client.get(URL, params={**this, "week": "week"})

    assert arabic.headers["content-type"] == "text/html; charset=utf-8"
    style = arabic.text.split("<style>")[1].split("</style>")[0]
    hashed = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{hashed}'" in arabic.headers["content-security-policy"]
    assert 'dir="rtl"' in arabic.text
    assert "Change the lamp" in english.text
    assert "Corniche &lt;12&gt;" in english.text
    assert arabic.text.count("الكورنيش") == 4, "three orders, and a device that fails again and again"
    assert "Corniche &lt;12&gt;" not in arabic.text
    assert "Orders in 90 days" in english.text, "three orders make a device one that fails again and again"
    assert week_name(monday - timedelta(days=7)) in before.text
    assert [r.status_code for r in (english, before, later, wrong)] == [200, 200, 422, 422]


async def test_who_sees_no_names_gets_none(pool: asyncpg.Pool, connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "light-7", kind="light")
    order = await add_order(connection, device, title="Ask Amal", created_at=NOON - timedelta(days=10))
    await happen(connection, order, "created", at=NOON - timedelta(days=10))
    ministry = await builders.token(connection, role=Role.MINISTRY)
    async with bearing(pool, ministry) as program:
        page = await program.get(URL, params={"municipality": "tripoli"})

    assert page.status_code == 200
    assert "light-7" in page.text
    assert "Ask Amal" not in page.text


async def test_a_past_week_is_told_as_it_was_at_its_end(connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "light-7", kind="light")
    until = week(monday_of(NOON.astimezone(BEIRUT).date()) - timedelta(days=7), BEIRUT).until_at
    made = {"created_at": until - 9 * H, "response_due_at": until - 5 * H, "repair_due_at": until + 90 * H}
    late = await add_order(connection, device, **made, accepted_at=until + H)
    mended = await add_order(connection, device, **made)
    await happen(connection, mended, "done", at=until - 8 * H)
    await happen(connection, mended, "reopened", at=until + H)

    report = await read_report(connection, "tripoli", None, max(NOON, until + 2 * H), named=True)

    assert [(one.id, one.overdue) for one in report.open] == [(late, True)]
    assert (report.week.open.count, report.week.open.overdue, report.week.done) == (1, 1, 1)
