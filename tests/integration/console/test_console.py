"""The console in a real browser: live, in three languages, in both directions."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
from fastapi import FastAPI
from playwright.async_api import Browser, Page, Route, expect

from alerts.transition import Severity
from api.app import create_app
from api.context import AppContext
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console import town
from tests.integration.console.pages import SENTENCE, opened, sign_in_by_link, signed_in
from tests.serving import serving


async def test_alert_appears_without_reload_and_is_announced(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", lat=34.43, lon=35.84)

    async with opened(browser, server) as page:
        await expect(page.locator("#alerts .empty")).to_have_text("No open alert")
        await expect(page.locator("#link.on")).to_be_attached()  # what came before it listens is no news
        await builders.fire(connection, device, severity=Severity.CRITICAL, summary=SENTENCE)

        await expect(page.locator(".alert .summary")).to_have_text("Bin bin-1 is 91 % full")
        await expect(page.locator("#count-open_alerts dd")).to_have_text("1")
        await expect(page.locator(".mark.is-critical")).to_have_count(1)
        await expect(page.locator("#announce")).to_contain_text("Bin bin-1 is 91 % full")

        await builders.resolve(connection, device)
        await expect(page.locator(".alert")).to_have_count(0)


async def test_acknowledge_button_says_who_has_seen_it_on_every_screen(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device, summary=SENTENCE)
    token = await builders.token(connection, "Rima")
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)

    async with (
        serving(app) as url,
        signed_in(browser, url, token) as mine,
        signed_in(browser, url, token) as other,
    ):
        await mine.get_by_role("button", name="Acknowledge").click()

        for page in (mine, other):
            await expect(page.locator(".alert.seen .note")).to_contain_text("Rima")
            await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)

    stored = await connection.fetchval("SELECT acknowledged_by FROM v_alert WHERE alert_id = $1", alert)
    assert stored == "Rima"


async def test_device_is_silent_by_its_rules_family_whatever_the_rule_is_called(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    unheard = await builders.add(connection, "bin-1", lat=34.43, lon=35.84)
    noisy = await builders.add(connection, "bin-2", lat=34.44, lon=35.85)
    await builders.fire(connection, unheard, rule="nothing-heard", family="silent", summary=SENTENCE)
    await builders.fire(connection, noisy, rule="pump-silent", family="stream", summary=SENTENCE)

    async with opened(browser, server) as page:
        await expect(page.locator(".mark.is-silent")).to_have_count(1)
        await expect(page.locator(".mark.is-major")).to_have_count(1)

    async with opened(browser, server, "/devices") as page:
        await expect(page.locator(".row .badge.is-silent")).to_have_count(1)


async def test_page_opened_during_an_outage_fills_itself_afterwards(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    outage = iter(range(2))

    async def answer(route: Route) -> None:
        if next(outage, None) is None:
            await route.continue_()
        else:
            await route.fulfill(status=503, json={"title": "Away"})

    async with opened(browser, server, "/devices", route=("**/api/v1/kinds", answer)) as page:
        await expect(page.locator(".row")).to_have_count(1)
        await expect(page.locator("#lost")).to_be_hidden()


async def test_what_is_heard_while_the_alerts_are_read_is_newer_than_their_list(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    ended, new = await builders.add(connection, "bin-1"), await builders.add(connection, "bin-2")
    await builders.fire(connection, ended, summary=SENTENCE)
    heard = asyncio.Event()
    lists = iter(range(1))

    async def answer(route: Route) -> None:
        if next(lists, None) is None:
            # Lists that the page reads later are as old as the first one until it has heard.
            await asyncio.wait_for(heard.wait(), 20)
            await route.continue_()
            return
        old = await route.fetch()
        # What happens before the page listens is told to nobody.
        await expect(route.request.frame.page.locator("#link.on")).to_be_visible()
        await builders.resolve(connection, ended)
        await builders.fire(connection, new, summary=SENTENCE)
        await asyncio.wait_for(heard.wait(), 20)
        await route.fulfill(response=old)

    async def listen(page: Page) -> None:
        await expect(page.locator("#announce")).to_contain_text("bin-2")
        heard.set()

    async with opened(browser, server, route=("**/api/v1/alerts?state=firing&order*", answer)) as page:
        await listen(page)
        await expect(page.locator("#count-open_alerts dd")).to_have_text("1")
        await expect(page.locator(".alert .summary")).to_have_text("Bin bin-2 is 91 % full")


async def test_page_asks_to_sign_in_again_when_its_token_has_ended(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    guarded = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)
    token = await builders.token(connection, "test")
    async with serving(guarded) as url:
        page = await browser.new_page()
        await sign_in_by_link(page, f"{url}/signin?token={token}")
        await expect(page.locator("#link.on")).to_be_visible()

        await connection.execute("DELETE FROM token")
        guarded.state.context.live.close()

        await expect(page.locator("input[name=token]")).to_be_visible()


async def test_arabic_runs_right_to_left_with_its_digits_and_charts_left_to_right(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", title="Square 7")
    await builders.fire(connection, device, summary=SENTENCE)
    rows = [{"observed_at": NOON - timedelta(minutes=10 * i), "fill_pct": 40.0 + i} for i in range(20)]
    await builders.store(connection, device, rows)
    await builders.report(connection, device, fill_pct=40.0)

    async with opened(browser, server, locale="ar-LB") as page:
        assert await page.locator("html").get_attribute("dir") == "rtl"
        await expect(page.locator("#count-devices dd")).to_have_text("١")
        await expect(page.locator(".alert .summary")).to_contain_text("ممتلئة")
        await expect(page.locator(".alert .summary bdi")).to_have_text("bin-1")
        queue, card = await page.locator("#queue").bounding_box(), await page.locator("#map").bounding_box()
        assert queue is not None
        assert card is not None
        assert queue["x"] < card["x"], "the queue stands at the end of the line"

    async with opened(browser, server, "/devices", locale="ar-LB") as page:
        await page.locator(".row").click()
        frame = page.locator(".chart .plot").first
        await expect(frame).to_be_visible()
        assert await frame.evaluate("element => getComputedStyle(element).direction") == "ltr"


async def test_libya_keeps_latin_digits_in_arabic(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.fire(connection, await builders.add(connection, "bin-1"))
    await connection.execute("UPDATE municipality SET locale = 'ar-LY', time_zone = 'Africa/Tripoli'")

    async with opened(browser, server, locale="ar") as page:
        await expect(page.locator("#count-open_alerts dd")).to_have_text("1")


async def test_language_is_switched_at_once_and_remembered(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.fire(connection, await builders.add(connection, "bin-1"), summary=SENTENCE)

    async with opened(browser, server) as page:
        await page.get_by_role("button", name="Français").click()
        await expect(page.locator(".alert .summary")).to_have_text("Le bac bin-1 est plein à 91 %")

        await page.reload()
        await expect(page.locator("#queue-title")).to_have_text("Alertes")
        assert await page.locator("html").get_attribute("lang") == "fr"


async def test_screen_says_when_the_connection_is_lost_and_catches_up_after(
    browser: Browser, app: FastAPI, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    first = serving(app)
    url = await first.__aenter__()
    port = int(url.rpartition(":")[2])

    async with opened(browser, url) as page:
        await first.__aexit__()
        await expect(page.locator("#lost")).to_be_visible()
        await builders.fire(connection, device, summary=SENTENCE)
        again = restarted(app)
        async with serving(again, port):
            await expect(page.locator("#lost")).to_be_hidden()
            await expect(page.locator(".alert .summary")).to_have_text("Bin bin-1 is 91 % full")


def restarted(app: FastAPI) -> FastAPI:
    """Return the same application as after a restart of the process."""
    context: AppContext = app.state.context
    return create_app(pool=context.pool, kinds=context.kinds, now=context.now, beyond_loopback=False)


async def test_page_fits_a_phone(browser: Browser, server: str, connection: asyncpg.Connection) -> None:
    await town.build(connection, datetime.now(UTC), devices=20)

    for locale in ("en-GB", "fr-FR", "ar-LB"):
        phone = {"width": 360, "height": 740}
        async with opened(browser, server, locale=locale, viewport=phone) as page:
            await expect(page.locator(".alert").first).to_be_visible()
            width = await page.evaluate("document.documentElement.scrollWidth")
            assert width <= 360, locale


async def test_demonstration_says_how_fast_its_clock_runs(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.let_in(pool)
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False, speed=60)
    async with serving(app) as url, opened(browser, url) as page:
        await expect(page.locator("#fast")).to_have_text(re.compile("60"))


async def test_stranger_beyond_loopback_sees_how_to_sign_in(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    token = await builders.token(connection, "test")
    app = create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=True)
    async with serving(app) as url, asyncio.timeout(60):
        page = await browser.new_page()
        await page.goto(url)
        await page.fill("input[name=token]", token)
        await page.click("form:last-of-type button")
        await expect(page.locator("#link.on")).to_be_visible()
        assert page.url == f"{url}/"
