"""Readings that people enter in a real browser, behind a real broker and ingest: on a phone and at a desk."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page, Route, expect

from api.app import create_app
from bench.console.accessibility import serious
from devices.instants import rfc3339, to_datetime
from nabd.accounts.grants import Account
from nabd.broker.address import BrokerAddress
from nabd.broker.relaying import ways_in
from people.links import create_link
from store.audit import PLATFORM
from store.pool import open_pool
from tests.databases import as_account
from tests.integration.console.work.test_work_page import PHONE, opened
from tests.integration.ingest.conftest import KINDS, Town
from tests.integration.ingest.conftest import town as town
from tests.integration.work.builders import person
from tests.serving import serving
from tests.waiting import eventually, now
from work.assigning import Crew
from work.change import WorkStep
from work.orders import NewOrder, make


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The platform of a town, whose ingest runs."""

    town: Town
    app: FastAPI

    async def link(self, name: str, role: str = "technician@tripoli") -> str:
        """Return what signs somebody in."""
        somebody = await person(self.town.connection, name, role)
        return await create_link(self.town.connection, somebody.principal, now(), by=PLATFORM)


@pytest.fixture
async def desk(town: Town, dsn: str) -> AsyncIterator[Desk]:
    pool = await open_pool(as_account(dsn, Account.API))
    ways = ways_in(BrokerAddress(host=town.broker.host, port=town.broker.port), pool, KINDS, now)
    running = asyncio.create_task(ways.run())
    app = create_app(pool=pool, kinds=KINDS, now=now, beyond_loopback=True, relaying=ways.relays)
    await town.start()
    yield Desk(town=town, app=app)
    running.cancel()
    await asyncio.wait([running])
    await pool.close()


async def said(town: Town, at: datetime, **values: float) -> None:
    """Have b1 say something itself."""
    await town.publish(
        ("nabd/v1/tripoli/bin/b1/telemetry", {"ts": rfc3339(at), **values}), client_id=f"b1 {at}"
    )


def minute(ago: int, zone: str | None) -> tuple[datetime, str]:
    """Return a whole minute that lies back, and as a form of the town has it."""
    at = to_datetime(now()).replace(second=0, microsecond=0) - timedelta(minutes=ago)
    return at, at.astimezone(ZoneInfo(zone or "UTC")).strftime("%Y-%m-%dT%H:%M")


async def enter(page: Page, **values: str) -> None:
    """Fill the form that is open, and send it."""
    for name, text in values.items():
        await page.locator(f"dialog [name={name}]").fill(text)
    await page.locator("dialog .primary").click()


async def test_reading_entered_without_network_is_sent_later_with_its_own_instant(
    browser: Browser, desk: Desk
) -> None:
    town, link = desk.town, await desk.link("rima")
    order = await make(
        town.connection,
        NewOrder(device="b1", title="قراءة العداد", to=Crew(assignee="rima")),
        WorkStep(by=PLATFORM, now=now(), happened_at=None),
    )
    zone = await town.connection.fetchval("SELECT time_zone FROM municipality")
    own, shown = minute(30, zone)
    await said(town, own, fill_pct=10)
    await town.received(1)

    server = serving(desk.app)
    url = await server.__aenter__()
    async with opened(browser, url, link, "ar", **PHONE) as page:
        await page.goto(f"{url}/work/{order.id}")
        button = page.get_by_role("button", name="إدخال قراءة")
        await expect(button).to_be_visible()
        # The page may be drawn anew at this moment.
        box = await eventually(button.bounding_box)
        assert box["height"] >= 44
        await page.evaluate("navigator.serviceWorker.ready")
        await server.__aexit__()
        await expect(page.locator("#lost")).to_be_visible()

        await button.click()
        await enter(page, fill_pct="١٣٠")
        await expect(page.locator("dialog .problem")).to_contain_text("من \u2066٠\u2069 إلى \u2066١٠٠\u2069")
        assert await serious(page) == []
        began = to_datetime(now())
        await enter(page, fill_pct="٥٥٫٥", note="الغطاء مكسور")
        await expect(page.locator("dialog")).to_have_count(0)
        ended = to_datetime(now())
        await button.click()
        await enter(page, fill_pct="60", observed_at=shown)
        await expect(page.locator("dialog")).to_have_count(0)
        await button.click()
        await enter(page, fill_pct="70", observed_at="1999-12-31T12:00")
        await expect(page.locator("dialog")).to_have_count(0)
        await expect(page.locator(".waits")).to_contain_text("٣ خطوات")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        assert len(await town.readings()) == 1

        async with serving(desk.app, int(url.rpartition(":")[2])):
            await expect(page.locator(".refused")).to_contain_text("الوقت غير مقبول")
            await expect(page.locator(".refused")).to_contain_text("٧٠")
            await expect(page.locator(".waits")).to_have_count(0)
            back = to_datetime(now())
            await page.locator(".refused .quiet").click()
            await page.locator("dialog .danger").click()
            await expect(page.locator(".refused")).to_have_count(0)

    first, beside, second = await town.readings()
    assert (first["observed_at"], first["fill_pct"], first["extra"]) == (own, 10, None)
    # The device has said something of that whole minute itself: what is entered of it stands beside that.
    assert own < beside["observed_at"] < own + timedelta(minutes=1)
    assert beside["fill_pct"] == 60
    assert second["fill_pct"] == 55.5
    assert began - timedelta(seconds=2) <= second["observed_at"] <= ended + timedelta(seconds=2)
    assert second["observed_at"] < second["received_at"] <= back
    entry = await town.connection.fetchrow(
        "SELECT p.name, h.note FROM hand_reading AS h INNER JOIN named_principal AS p ON h.author_id = p.id"
        " WHERE h.id = $1",
        second["extra"]["hand_reading"],
    )
    assert tuple(entry or ()) == ("rima", "الغطاء مكسور")


async def test_device_met_without_network_takes_a_reading_of_the_kind_that_is_chosen(
    browser: Browser, desk: Desk
) -> None:
    town, link = desk.town, await desk.link("rima")
    server = serving(desk.app)
    url = await server.__aenter__()
    async with opened(browser, url, link, "fr", **PHONE) as page:
        await expect(page.get_by_role("button", name="Saisir un relevé")).to_be_visible()
        await page.evaluate("navigator.serviceWorker.ready")
        await server.__aexit__()
        await expect(page.locator("#lost")).to_be_visible()

        await page.get_by_role("button", name="Saisir un relevé").click()
        await enter(page, device="l1")
        await page.locator("dialog select[name=kind]").select_option("light")
        await enter(page, energy_kwh="1204,5")
        await expect(page.locator(".waits")).to_be_visible()

        async with serving(desk.app, int(url.rpartition(":")[2])):
            await expect(page.locator(".waits")).to_have_count(0)
            await page.get_by_role("button", name="Saisir un relevé").click()
            await enter(page, device="l1")
            await expect(page.locator("dialog input[name=energy_kwh]")).to_be_visible()
            await expect(page.locator("dialog select[name=kind]")).to_have_count(0)
            await page.reload()

            async def forgotten() -> bool:
                return not await page.evaluate(KEEPS)

            # What it said last is kept on the phone for orders alone.
            await eventually(forgotten)

    [row] = await town.readings("light")
    assert (row["energy_kwh"], row["name"]) == (1204.5, "l1")


KEEPS = """
async () => (await (await import("/console/shell/kept.js")).valueNames())
  .includes("answer /api/v1/devices/l1/latest")
"""


async def test_meter_that_was_replaced_is_confirmed_after_it_was_refused(
    browser: Browser, desk: Desk
) -> None:
    """What the phone did not know is asked once it is sent: what was entered is not lost."""
    town, link = desk.town, await desk.link("rima")
    await town.publish(("nabd/v1/tripoli/light/l1/telemetry", {"energy_kwh": 900}), client_id="l1")
    await town.received(1)
    server = serving(desk.app)
    url = await server.__aenter__()
    async with opened(browser, url, link, "en", **PHONE) as page:
        button = page.get_by_role("button", name="Enter a reading")
        await expect(button).to_be_visible()
        await page.evaluate("navigator.serviceWorker.ready")
        await server.__aexit__()
        await expect(page.locator("#lost")).to_be_visible()
        await button.click()
        await enter(page, device="l1")
        await page.locator("dialog select[name=kind]").select_option("light")
        await enter(page, energy_kwh="3")
        await expect(page.locator(".waits")).to_be_visible()

        async with serving(desk.app, int(url.rpartition(":")[2])):
            await expect(page.locator(".refused")).to_contain_text(
                "Energy was \u2066900\u00a0kWh\u2069 and only grows"
            )
            await page.get_by_role("button", name="The meter was replaced").click()
            await expect(page.locator(".refused")).to_have_count(0)

    assert [row["energy_kwh"] for row in await town.readings("light")] == [900, 3]


async def test_reading_that_cannot_be_stored_now_holds_nothing_else_up(browser: Browser, desk: Desk) -> None:
    """Ingest is away: the reading waits, and the step that was taken after it arrives."""
    town, link = desk.town, await desk.link("rima")
    made = WorkStep(by=PLATFORM, now=now(), happened_at=None)
    order = await make(town.connection, NewOrder(device="b1", title="Lid", to=Crew(assignee="rima")), made)
    gateway = await make(town.connection, NewOrder(device="g1", title="Mast", to=Crew(assignee="rima")), made)
    away = True

    async def refuse(route: Route) -> None:
        if away:
            await route.fulfill(status=503, json={"title": "Away"}, headers={"Retry-After": "30"})
        else:
            await route.continue_()

    phone = {**PHONE, "service_workers": "block"}
    async with serving(desk.app) as url, opened(browser, url, link, "en-GB", **phone) as page:
        await page.route("**/hand-readings", refuse)
        await page.goto(f"{url}/work/{order.id}")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page, fill_pct="1,204")
        await expect(page.locator("dialog .problem")).to_contain_text("may be 1204 or 1.204")
        await enter(page, fill_pct="55")
        await expect(page.locator("dialog")).to_have_count(0)
        await expect(page.locator(".waits")).to_be_visible()
        await page.locator("[data-step=accept]").click()

        async def accepted() -> bool:
            state = await town.connection.fetchval("SELECT state FROM work_order WHERE id = $1", order.id)
            return bool(state == "accepted")

        await eventually(accepted)
        await expect(page.locator(".waits")).to_have_count(1)
        await page.goto(f"{url}/work/{gateway.id}")
        await expect(page.locator(".order-page")).to_contain_text("g1")
        await expect(page.get_by_role("button", name="Enter a reading")).to_have_count(0)
        await page.goto(f"{url}/work")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page, device="g1")
        await expect(page.locator("dialog .problem")).to_contain_text("Nothing can be entered of ⁨g1")
        away = False
        await page.reload()

        async def stored() -> bool:
            return [row["fill_pct"] for row in await town.readings()] == [55]

        await eventually(stored)
        await expect(page.locator(".waits")).to_have_count(0)


async def test_operator_enters_a_reading_and_sees_who_did(browser: Browser, desk: Desk) -> None:
    town, link = desk.town, await desk.link("omar", "operator@tripoli")
    for ago in (50, 40, 30):
        await said(town, to_datetime(now()) - timedelta(minutes=ago), fill_pct=ago)
    await town.received(3)

    async with serving(desk.app) as url, opened(browser, url, link, "en-GB") as page:
        await page.goto(f"{url}/devices/b1")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page)
        await expect(page.locator("dialog .problem")).to_have_text("Enter at least one value")
        assert await serious(page) == []
        await enter(page, fill_pct="55", note="<b>smoke</b>")

        row = page.locator(".hand-readings li")
        await expect(row).to_contain_text("Fill \u206655\u00a0%\u2069")
        await expect(row).to_contain_text("<b>smoke</b>")
        await expect(row).to_contain_text("omar")
        await expect(page.locator(".values")).to_contain_text("Entered by hand")
        await expect(page.locator(".charts .plot").first).to_have_attribute(
            "aria-label", re.compile("Entered by .omar")
        )
        await expect(page.locator(".messages .tag")).to_have_text("Entered by hand")

        await page.goto(f"{url}/devices/l1")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page, energy_kwh="900")
        await expect(page.locator(".hand-readings li")).to_have_count(1)
        await expect(page.locator(".values")).to_contain_text("900")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page, energy_kwh="3")
        await expect(page.locator("dialog .problem")).to_contain_text("only grows")
        await page.get_by_role("checkbox", name="The meter was replaced").check()
        await enter(page)
        await expect(page.locator(".hand-readings li")).to_have_count(2)

    assert [row["energy_kwh"] for row in await town.readings("light")] == [900, 3]


async def test_who_only_looks_enters_nothing(browser: Browser, desk: Desk) -> None:
    link = await desk.link("lina", "viewer@tripoli")
    async with serving(desk.app) as url, opened(browser, url, link, "en-GB") as page:
        await page.goto(f"{url}/devices/b1")
        await expect(page.locator("#device-title")).to_have_text("b1")

        await expect(page.get_by_role("button", name="Enter a reading")).to_have_count(0)


async def test_sent_again_after_a_lost_answer_it_is_one_reading(browser: Browser, desk: Desk) -> None:
    town, link = desk.town, await desk.link("omar", "operator@tripoli")
    lost: list[str] = []

    async with serving(desk.app) as url, opened(browser, url, link, "en-GB", service_workers="block") as page:

        async def lose_the_first(route: Route) -> None:
            if route.request.method != "POST" or lost:
                await route.continue_()
                return
            lost.append(json.dumps(route.request.post_data_json))
            await route.fetch()
            await route.abort()

        await page.route("**/hand-readings", lose_the_first)
        await page.goto(f"{url}/devices/b1")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page, fill_pct="55")
        await expect(page.locator("dialog .problem")).to_be_visible()
        await enter(page)
        await expect(page.locator("dialog")).to_have_count(0)
        await expect(page.locator(".hand-readings li")).to_have_count(1)

    async def one() -> bool:
        return len(await town.readings()) == 1

    await eventually(one)


async def test_instant_of_a_failed_try_is_not_that_of_the_next(browser: Browser, desk: Desk) -> None:
    town, link = desk.town, await desk.link("omar", "operator@tripoli")
    _, shown = minute(30, await town.connection.fetchval("SELECT time_zone FROM municipality"))
    began = to_datetime(now())
    asked: list[str] = []

    async def fail_the_first(route: Route) -> None:
        if route.request.method == "POST":
            asked.append(json.loads(route.request.post_data or "")["observed_at"])
        await (route.abort() if len(asked) == 1 else route.continue_())

    async with serving(desk.app) as url, opened(browser, url, link, "en-GB", service_workers="block") as page:
        await page.route("**/hand-readings", fail_the_first)
        await page.goto(f"{url}/devices/b1")
        await page.get_by_role("button", name="Enter a reading").click()
        await enter(page, fill_pct="55", observed_at=shown)
        await expect(page.locator("dialog .problem")).to_be_visible()
        await enter(page, observed_at="")
        await expect(page.locator("dialog")).to_have_count(0)

    [row] = await town.readings()
    assert row["observed_at"] >= began - timedelta(seconds=2)
    assert [datetime.fromisoformat(at) < began - timedelta(minutes=5) for at in asked] == [True, False]
