"""The list of devices and the page of one, in a real browser."""

from __future__ import annotations

import re
from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, Page, Route, expect

from devices.registry.ground import layers
from devices.registry.ground.feature import Layer
from nabd import rollups
from rules.maintenance import windows
from store.audit import PLATFORM
from tests.actors import actor
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened
from tests.integration.console.test_frame import EDITION
from tests.unit.devices.ground.files import EAST, WEST, feature, file

WEST_LON, EAST_LON = 35.83, 35.87


async def _town(connection: asyncpg.Connection) -> None:
    """Two districts with bins, of which one has readings of a week, a gap in its last day, and an alert."""
    await builders.add_town(connection)
    districts = file(feature(WEST, name__en="West", name__ar="غرب"), feature(EAST, name="East"))
    await layers.import_layer(
        connection,
        "tripoli",
        Layer.DISTRICTS,
        districts,
        remove_missing=True,
        now=builders.now,
        by=PLATFORM,
    )
    for name, lon, fill in (
        ("bin:1.2", WEST_LON, 91.0),
        ("bin-2", WEST_LON, 40.0),
        ("bin-3", EAST_LON, 95.0),
    ):
        device = await builders.add(connection, name, title="Azmi 1", lat=34.435, lon=lon)
        await builders.report(connection, device, fill_pct=fill)
        if name != "bin:1.2":
            continue
        silent = range(300, 420)
        rows = [
            {
                "observed_at": NOON - timedelta(minutes=i),
                "fill_pct": 5.0 if i in (200, 2000) else 60.0 + i / 1000,
            }
            for i in range(0, 8 * 24 * 60, 10)
            if i not in silent
        ]
        await builders.store(connection, device, rows)
        await builders.fire(connection, device, at=NOON - timedelta(hours=2))
    while await rollups.turn(connection, [builders.KINDS["bin"]], builders.now):
        pass


async def test_bin_is_found_in_a_district_by_its_value_and_compared_with_last_week(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await _town(connection)

    async with opened(browser, server, "/devices") as page:
        row = page.locator("#devices .row")
        await expect(row).to_have_count(3)
        await page.locator("select[name=kind]").select_option("bin")
        await page.locator("select[name=district]").select_option(label="West")
        await page.locator("select[name=measurement]").select_option("fill_pct")
        await page.locator("input[name=above]").fill("80")
        await page.keyboard.press("Tab")
        await expect(row).to_have_count(1)
        await expect(row).to_contain_text("bin:1.2 · West")
        await expect(page.locator("#exports a").first).to_have_attribute(
            "href", re.compile("above=80.*bom=true")
        )
        await row.click()

        await expect(page.locator("#device h1")).to_have_text("Azmi 1")
        await expect(page.locator(".facts")).to_contain_text(["West"])
        await expect(page.locator(".cycles")).to_contain_text("Emptied: 1 time in 30 days · every")
        await _look_at_charts(page, server)

    async with opened(browser, server, "/devices?q=غرب", locale="ar-LB") as page:
        await expect(page.locator("#devices .row")).to_have_count(2)
        await page.locator("#devices .row").first.click()
        await expect(page.locator(".device-head")).to_contain_text("آخر رسالة")
        await expect(page.locator(".plot").first).to_have_attribute("aria-label", re.compile("انقطاع واحد"))
        await page.go_back()
        await expect(page.locator("#device")).to_be_hidden()

    async with opened(browser, server, "/devices/bin-9") as page:
        await expect(page.locator("#device")).to_contain_text("There is no such device here")


async def _look_at_charts(page: Page, server: str) -> None:
    plot = page.locator(".plot").first
    await expect(plot.locator("canvas")).to_be_visible()
    await expect(plot).to_have_attribute("aria-label", re.compile(r"from .5.%.* to .6\d.*1 gap.*1 alert"))

    start = await plot.get_attribute("data-start")
    assert start
    await page.locator("#device .chip", has_text="7 days").click()
    await expect(plot).not_to_have_attribute("data-start", start)
    await expect(page.locator("#device .chip[aria-pressed=true]")).to_have_text("7 days")
    assert "hours=168" in page.url

    box = await plot.locator(".u-over").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] / 3, box["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 2 / 3, box["y"] + 30, steps=4)
    await page.mouse.up()
    await expect(page.locator("#device .chip[aria-pressed=true]")).to_have_count(0)
    assert "from=" in page.url
    assert "until=" in page.url

    await page.locator(".compare select").select_option("week")
    await expect(page.locator(".key.dashed").first).to_have_text("A week before")
    await page.reload()
    await expect(page.locator(".key.dashed").first).to_have_text("A week before")
    assert page.url.startswith(f"{server}/devices/bin%3A1.2?")
    for _ in range(2):
        await page.go_back()
    await expect(page.locator("#device .chip[aria-pressed=true]")).to_have_text("7 days")


async def test_newest_values_and_accepted_messages_come_by_themselves(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.report(connection, device, at=NOON - timedelta(minutes=10), fill_pct=20.0)

    async with opened(browser, server, "/devices") as page:
        await expect(page.locator(".row .headline")).to_contain_text("20")
        await builders.report(connection, device, at=NOON - timedelta(minutes=5), fill_pct=77.0)
        await expect(page.locator(".row .headline")).to_contain_text("77")

        await page.locator(".row").click()
        await expect(page.locator(".messages")).to_contain_text("None yet")
        await builders.report(connection, device, fill_pct=78.0)
        await expect(page.locator(".value.main")).to_contain_text("78")
        await page.locator(".messages summary").first.click()
        await expect(page.locator(".messages")).to_contain_text("stored as Fill")

        await page.get_by_role("button", name="Edit").click()
        await page.locator("dialog [name=title]").fill("By the <b>gate</b>")
        await page.locator("dialog button[type=submit]").click()
        await expect(page.locator("#device h1")).to_have_text("By the <b>gate</b>")


async def test_panel_says_that_people_work_on_a_device_in_the_readers_language(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.fire(connection, await builders.add(connection, "bin-1", lat=34.43, lon=35.84))
    for begins, reason in ((None, "washing"), (NOON + timedelta(days=1), "new lid")):
        await windows.add_window(
            connection,
            device="bin-1",
            from_at=begins,
            until_at=(begins or NOON) + timedelta(hours=2),
            reason=reason,
            by=await actor(connection, "Rima"),
            now=builders.now(),
        )

    for locale, running, planned in (
        ("en", "Maintenance until", "Maintenance planned from"),
        ("fr", "Maintenance jusqu'au", "Maintenance prévue du"),
        ("ar", "صيانة حتى", "صيانة مخطط لها"),
    ):
        async with opened(browser, server, locale=locale) as page:
            await page.locator(".alert .plain-link").first.click()
            said = page.locator("#device .maintenance")
            await expect(said).to_have_count(2)
            await expect(said.nth(0)).to_contain_text(running)
            await expect(said.nth(0)).to_contain_text("washing")
            await expect(said.nth(1)).to_contain_text(planned)


async def test_note_whose_answer_was_lost_is_sent_again_and_written_once(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    await builders.add(connection, "bin-2")
    lost: list[str] = []

    async def lose_the_first(route: Route) -> None:
        if route.request.method != "POST" or lost:
            await route.continue_()
            return
        lost.append((await route.fetch()).url)
        await route.abort()

    notes = ("**/devices/bin-2/notes*", lose_the_first)
    async with opened(browser, server, "/devices/bin-2", route=notes) as page:
        form = page.locator(".note-form")
        await form.locator("textarea").fill("The key hangs at the bakery.")
        await form.get_by_role("button").click()
        await expect(form.get_by_role("alert")).to_be_visible()
        await form.get_by_role("button").click()
        await expect(page.locator(".note-body")).to_have_text("The key hangs at the bakery.")

    assert lost
    assert await connection.fetchval("SELECT count(*) FROM device_note") == 1


async def test_note_that_is_being_written_outlives_a_lost_connection_and_a_new_edition_waits_for_it(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    refusals = iter(range(1))

    async def answer(route: Route) -> None:
        if next(refusals, None) is None:
            await route.continue_()
        else:
            await route.fulfill(status=503, json={"title": "Unavailable", "detail": "no answer"})

    async with opened(browser, server, "/devices/bin-1", route=("**/bin-1/notes*", answer)) as page:
        notes = page.locator(".notes")
        await expect(notes).to_contain_text("Unavailable (no answer)")
        await expect(notes.locator(".meta")).to_have_count(0)
        await notes.get_by_role("button", name="Try again").click()
        await expect(notes.locator(".meta")).to_be_visible()

        written = page.locator("[name=note]")
        await written.press_sequentially("The lid")
        await notes.evaluate("(old) => (old.dataset.old = '')")
        await page.evaluate("import('/console/device/device.js').then((it) => it.hearDevice.missed())")
        await expect(page.locator(".notes[data-old]")).to_have_count(0)
        await page.keyboard.type(" is broken")
        await expect(written).to_have_value("The lid is broken")

        await page.evaluate(EDITION)
        async with page.expect_event("load"):
            await page.locator("#edition button").click()
        await expect(written).to_have_value("")
