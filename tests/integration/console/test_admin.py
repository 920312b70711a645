"""An administrator's first day without a terminal; what an operator sees of it; one's own account."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
from playwright.async_api import Browser, BrowserContext, FilePayload, Page, Route, expect

from people import links
from people.editing import NewPerson, add_person
from people.identity import of_texts
from rules.catalogue import editing
from rules.loading.files import default_packs
from rules.maintenance import windows
from store.audit import PLATFORM
from tests.actors import actor
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened, sign_in_by_link

LIST = b"""name,kind,municipality,title,lat,lon
bin-0901,bin,tripoli,Harbour,34.45,35.82
bin-0902,bin,tripoli,Souk,north,35.84
"""


async def _town(connection: asyncpg.Connection) -> None:
    """Build two bins with a day of readings, and the rule that judges them."""
    for name, fill in (("bin-0001", 90.0), ("bin-0002", 82.0)):
        device = await builders.add(connection, name, lat=34.43, lon=35.84)
        readings = [{"observed_at": NOON - timedelta(minutes=15 * n), "fill_pct": fill} for n in range(96)]
        await builders.store(connection, device, readings[::-1])
    await builders.reject(connection, "bin-0777")
    (rule,) = [one for one in default_packs(builders.KINDS) if one.id == "bin-overflow"]
    await editing.put(connection, rule, by=await actor(connection, "Rima"), now=builders.now(), version=0)


async def test_administrators_first_day_without_a_terminal(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    async with opened(browser, server) as page:
        await expect(page.locator("#first li")).to_have_count(3)
        await expect(page.locator("#first")).to_contain_text("First add the municipality")
        await _town(connection)
        await page.goto(f"{server}/admin/people")
        await _adds_a_person(page)
        await _imports_a_list(page)
        await _adopts_a_stranger(page)
        await _changes_a_limit(page)
        await _asks_who_is_told(page)
        await _tries_a_profile(page)
        await page.goto(f"{server}/admin/routes")
        await page.get_by_role("button", name="العربية").click()
        await expect(page.locator("#part h2").first).to_have_text("من كان ليُبلَّغ؟")
        await page.locator("#parts").get_by_text("الأشخاص").click()
        await expect(page.locator("#part tbody tr")).to_contain_text("مشغّل")

    assert await connection.fetchval("SELECT array_agg(name ORDER BY name) FROM device") == [
        "bin-0001",
        "bin-0002",
        "bin-0777",
        "bin-0901",
    ]
    text = "SELECT definition->'levels'->>'warning' FROM rule WHERE id = 'bin-overflow' AND version = 2"
    assert (await connection.fetchval(text)).startswith("fill_pct >= attr(overflow_at, 80)")


async def _adds_a_person(page: Page) -> None:
    await page.get_by_role("button", name="Add a person").click()
    await page.locator("dialog [name=name]").fill("Amal")
    await page.locator("dialog [name=display_name]").fill("Amal <b>Khoury</b>")
    await page.locator("dialog [name=email]").fill("amal@example.org")
    await page.locator("dialog [name=town]").select_option("tripoli")
    await page.locator("dialog [type=submit]").click()
    link = page.locator("dialog .copied")
    await expect(link).to_have_value(re.compile(r"^http://127\.0\.0\.1:\d+/signin\?link="))
    await page.keyboard.press("Escape")
    await expect(page.locator("#part tbody tr")).to_contain_text("Amal <b>Khoury</b>")


async def _imports_a_list(page: Page) -> None:
    await page.locator("#parts").get_by_text("Devices").click()
    await page.get_by_role("button", name="Import CSV").click()
    file: FilePayload = {"name": "bins.csv", "mimeType": "text/csv", "buffer": LIST}
    await page.locator("dialog [type=file]").set_input_files(file)
    await expect(page.locator("dialog .files tbody tr")).to_contain_text("bin-0902,bin,tripoli,Souk,north")
    await page.locator("dialog [type=submit]").click()
    await expect(page.locator("dialog .problem[role=alert]")).to_contain_text("Correct the lines")
    await page.get_by_label("Store the good lines all the same").check()
    await page.locator("dialog [type=submit]").click()
    await expect(page.locator("#part tbody")).to_contain_text("Harbour")


async def _adopts_a_stranger(page: Page) -> None:
    await page.locator("#parts").get_by_text("Quarantine").click()
    await page.get_by_role("button", name="Adopt").click()
    await page.locator("dialog [type=submit]").click()
    await expect(page).to_have_url(re.compile("/admin/devices/bin-0777$"))
    await expect(page.locator("#part h2").first).to_have_text("bin-0777")


async def _changes_a_limit(page: Page) -> None:
    await page.locator("#parts").get_by_text("Rules").click()
    await page.locator("#part").get_by_text("bin-overflow").click()
    text = page.locator("textarea.code")
    right = await text.input_value()
    await text.fill(right.replace("fill_pct >= 95", "fil_pct >= 95"))
    await expect(page.locator(".problems .problem")).to_contain_text("fill_pct")
    await text.fill(right)
    await page.locator("[data-limit='levels.warning']").fill("80")
    await expect(text).to_have_value(re.compile(r"attr\(overflow_at, 80\)"))
    await expect(page.locator(".problems .well")).to_be_visible()
    await page.get_by_role("button", name="Test on the past").click()
    await expect(page.locator(".test-said")).to_contain_text("2 alerts by this text")
    await expect(page.locator(".timeline .bar").first).to_be_attached()
    await page.get_by_role("button", name="Put into force").click()
    await expect(page.locator("#part .facts").first).to_contain_text("2")
    await expect(page.locator(".toast").last).to_contain_text("In force")


async def _asks_who_is_told(page: Page) -> None:
    await page.locator("#parts").get_by_text("Whom alerts are told").click()
    await page.locator("#part [name=device]").fill("bin-0001")
    await page.get_by_role("button", name="Ask").click()
    told = page.locator("#part form tbody tr")
    await expect(told.first).to_contain_text("Amal <b>Khoury</b>")
    await expect(told.first).to_contain_text("E-mail")


async def _tries_a_profile(page: Page) -> None:
    await page.locator("#parts").get_by_text("Profiles").click()
    await expect(page.locator("#part")).to_contain_text("soil_probe")
    await page.locator("#part").get_by_text("dragino-ldds75").click()
    await expect(page.locator("#part")).to_contain_text("mV → V")
    await page.get_by_role("button", name="Try", exact=True).first.click()
    await page.get_by_role("button", name="Try", exact=True).last.click()
    reading = page.get_by_role("region", name="Smart bin sample")
    await expect(reading).to_contain_text("2.885")
    await page.locator("#part [name=message]").fill('{"distance": 20, "battery": "full"}')
    await page.get_by_role("button", name="Try", exact=True).last.click()
    await expect(page.locator("#part [aria-live] .problem")).to_contain_text("no measurement results")
    await expect(page.locator("#part [aria-live]")).to_contain_text("Could not be converted")


async def _as(
    context: BrowserContext, server: str, connection: asyncpg.Connection, name: str, grant: str
) -> Page:
    """Return a page of somebody who has signed in."""
    new = NewPerson(name=name, grants=sorted(of_texts([grant]), key=str))
    person = await add_person(connection, new, builders.now(), by=PLATFORM)
    link = await links.create_link(connection, person.id, builders.now(), by=PLATFORM)
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await sign_in_by_link(page, f"{server}/signin?link={link}")
    await expect(page.locator("#link.on")).to_be_visible()
    return page


async def _rules_are_only_read(page: Page, server: str) -> None:
    await page.goto(f"{server}/admin/rules/bin-overflow")
    await expect(page.locator("#part h2").first).to_have_text("bin-overflow")
    for refused in ("Test on the past", "Put into force", "Disable"):
        await expect(page.get_by_role("button", name=refused)).to_have_count(0)


async def test_administrator_of_one_town_is_offered_nothing_that_concerns_all(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await _town(connection)
    await connection.execute(
        "UPDATE municipality SET locale = 'ar-LB', time_zone = 'Asia/Kabul', lat = 34.43, lon = 35.84"
    )
    bin_ = (await connection.fetch("SELECT name FROM device ORDER BY name"))[0]["name"]
    by = await actor(connection, "Rima")
    until = NOON + timedelta(hours=1)
    await windows.add_window(
        connection, device=bin_, until_at=until, reason="lids", by=by, now=builders.now()
    )
    context = await browser.new_context(locale="en-GB", timezone_id="Asia/Tokyo")
    page = await _as(context, server, connection, "salma", "admin@tripoli")

    await _rules_are_only_read(page, server)
    await page.goto(f"{server}/admin/routes")
    await expect(page.get_by_role("button", name="Put into force")).to_have_count(0)
    # The clock of the device's town, wherever the browser is.
    await page.goto(f"{server}/admin/maintenance")
    row = page.locator("#part tbody tr").first
    await expect(row).to_contain_text(f"{until.astimezone(ZoneInfo('Asia/Kabul')):%H:%M}")
    await page.goto(f"{server}/admin/town")
    await page.get_by_role("button", name="العربية").click()
    await expect(page.locator("#part .facts").first).to_contain_text("٣٤٫٤٣ · ٣٥٫٨٤")
    await context.close()


async def test_operator_sees_what_they_may_and_keeps_their_own_account(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await _town(connection)
    context = await browser.new_context(locale="en-GB", viewport={"width": 360, "height": 740})
    page = await _as(context, server, connection, "rima", "operator@tripoli")

    await _rules_are_only_read(page, server)
    parts = await page.locator("#parts a").all_inner_texts()
    assert "Rules" in parts
    assert not {"People", "Tokens", "Audit", "Devices"} & set(parts)
    await page.goto(f"{server}/admin/people")
    await expect(page.locator("#part .empty")).to_contain_text("not yours")

    await page.goto(f"{server}/account")
    await page.locator("[name=ntfy]").fill("rima-alerts")
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.locator(".toast")).to_contain_text("Saved")
    await expect(page.locator(".account tbody tr")).to_contain_text("This browser")
    await page.get_by_role("button", name="Set up an app").click()
    await expect(page.locator("dialog svg.qr path")).to_have_attribute("d", re.compile(r"^M1 1h1"))
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await context.close()
    assert await connection.fetchval("SELECT channels->>'ntfy' FROM person WHERE name = 'rima'") == (
        "rima-alerts"
    )


async def test_system_is_read_on_a_phone_in_arabic_without_scrolling_sideways(
    browser: Browser, server: str
) -> None:
    fix = "أنشئه بالأمر \u2066`nabd shard add a-shard-with-a-name-that-is-long --municipality tripoli`\u2069"
    check = {"code": "N301", "subject": "shard", "title": "الجزء", "verdict": "bad"}
    system = {
        "checks": [{**check, "said": "لا يوجد جزء بهذا الاسم", "fix": fix}],
        "took_s": 0.4,
        "versions": {"nabd": "1", "postgres": "18", "python": "3", "speed": 1},
    }

    async def answer(route: Route) -> None:
        await route.fulfill(json=system)

    phone: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "locale": "ar"}
    async with opened(browser, server, "/admin/system", route=("**/api/v1/system", answer), **phone) as page:
        tables = page.locator("#part .table")
        await expect(tables).to_have_count(2)
        await expect(tables.first).to_contain_text("قاعدة البيانات")
        await expect(tables.last.locator("td").last).to_have_attribute("data-title", "ما العمل")
        wide = await tables.evaluate_all("found => found.map((one) => one.scrollWidth - one.clientWidth)")

    assert wide == [0, 0]
