"""The list of devices and the page of one, in a real browser."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, expect

from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened


async def test_chart_is_broken_where_a_device_was_silent_and_keeps_least_and_most(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "light-1", kind="light")
    silent = range(60, 60 + 30)  # half an hour, of a device that reports every 10 minutes
    rows = [
        {"observed_at": NOON - timedelta(minutes=i), "voltage_v": 150.0 if i == 200 else 230.0}
        for i in range(24 * 60)
        if i not in silent
    ]
    await builders.store(connection, device, rows)
    await builders.report(connection, device, voltage_v=230.0)

    async with opened(browser, server, "/devices") as page:
        await page.locator(".row").click()
        chart = page.locator(".chart", has_text="Voltage").first
        await expect(chart.locator(".line")).to_be_visible()
        path = await chart.locator("path.line").get_attribute("d")
        assert path is not None
        assert path.count("M") == 2
        ticks = await chart.locator(".tick.y").all_text_contents()
        assert min(int(tick) for tick in ticks) <= 150


async def test_newest_values_change_on_the_screen(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.report(connection, device, at=NOON - timedelta(minutes=10), fill_pct=20.0)

    async with opened(browser, server, "/devices") as page:
        await expect(page.locator(".row .headline")).to_contain_text("20")
        await builders.report(connection, device, fill_pct=77.0)
        await expect(page.locator(".row .headline")).to_contain_text("77")


async def test_search_and_period_stand_in_the_address(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for name in ("bin:1.2", "bin-2"):
        await builders.add(connection, name)

    async with opened(browser, server, "/devices") as page:
        await page.locator("#search").fill("1.2")
        await page.locator(".row").click()
        await page.locator("#device .chip", has_text="7 days").click()
        assert page.url.removeprefix(server) == "/devices/bin%3A1.2?q=1.2&hours=168"

        await page.reload()
        await expect(page.locator("#device h1")).to_have_text("bin:1.2")
        await expect(page.locator("#device .chip[aria-pressed=true]")).to_have_text("7 days")
        await page.go_back()
        await expect(page.locator("#device .chip[aria-pressed=true]")).to_have_text("24 hours")
        await page.go_back()
        await expect(page.locator("#device")).to_be_hidden()
        await expect(page.locator(".row")).to_have_count(1)

    async with opened(browser, server, "/devices/bin-9") as page:
        await expect(page.locator("#device .values")).to_have_text("There is no such device here")
