"""The desk's map in a real browser: from groups to one device, filtered, in the past, on a phone."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest
from playwright.async_api import Browser, Route, expect

from alerts.overview import device_map
from alerts.transition import Severity
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import SENTENCE, opened


@pytest.fixture
async def town(connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve bins in two quarters of a town where seven are many; one has burnt for twenty minutes."""
    monkeypatch.setattr(device_map, "FEW", 6)
    for i in range(12):
        lat, lon = (34.430, 35.840) if i < 6 else (34.442, 35.860)
        device = await builders.add(connection, f"bin-{i}", lat=lat + i / 10_000, lon=lon)
        await builders.report(connection, device, fill_pct=50.0)
        if i == 2:
            at = NOON - timedelta(minutes=20)
            await builders.fire(connection, device, severity=Severity.CRITICAL, at=at, summary=SENTENCE)


@pytest.mark.usefixtures("town")
async def test_reader_comes_from_many_devices_to_the_one_that_is_wrong(browser: Browser, server: str) -> None:
    async with opened(browser, server, viewport={"width": 1440, "height": 900}) as page:
        worst = page.locator(".cluster.is-critical")
        await expect(worst).to_have_count(1)
        assert sum([int(await one.inner_text()) for one in await page.locator(".cluster").all()]) == 12
        await expect(page.locator("#legend")).to_contain_text("Critical 1")

        # The list says the same to who sees no map, and leads closer.
        await page.locator(".map-list summary").click()
        await expect(page.locator(".map-list li").first).to_contain_text("Critical")
        await page.locator(".map-list li button").first.click()
        await expect(page.locator(".mark.is-critical")).to_have_count(1)

        # What the desk is narrowed to, the map is too.
        await page.locator("#severities .chip.is-critical").click()
        await expect(page.locator(".mark")).to_have_count(1)
        await expect(page).to_have_url(f"{server}/?severity=critical")

        slider = page.get_by_role("slider", name="Last 24 hours")
        await slider.press("ArrowLeft")
        await slider.press("ArrowLeft")
        await expect(page.locator(".mark")).to_have_count(0)
        await slider.press("End")
        await expect(page.locator(".mark.is-critical")).to_have_count(1)

        await page.locator(".mark.is-critical").click()
        await expect(page).to_have_url(f"{server}/devices/bin-2")


@pytest.mark.usefixtures("town")
async def test_swipe_over_the_map_scrolls_the_page_of_a_phone(browser: Browser, server: str) -> None:
    screen = {"width": 360, "height": 640}
    async with opened(
        browser, server, locale="ar-LB", viewport=screen, has_touch=True, is_mobile=True
    ) as page:
        await expect(page.locator(".cluster").first).to_be_attached()
        await page.locator("#map").evaluate("map => map.scrollIntoView({ block: 'start' })")
        before = await page.evaluate("scrollY")
        box = await page.locator("#map").bounding_box()
        assert box is not None
        session = await page.context.new_cdp_session(page)
        for i in range(12):
            finger = {"x": 100, "y": box["y"] + 100 + 12 * i}
            kind = "touchMove" if i else "touchStart"
            await session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [finger]})
        await session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

        await page.wait_for_function("before => scrollY < before - 60", arg=before)
        await expect(page.locator(".map-time")).to_contain_text("آخر ٢٤ ساعة")


@pytest.mark.usefixtures("town")
async def test_map_whose_first_answer_failed_is_opened_after_a_while(browser: Browser, server: str) -> None:
    refusals = iter(range(1))

    async def answer(route: Route) -> None:
        if next(refusals, None) is None:
            await route.continue_()
        else:
            await route.fulfill(status=503, json={"title": "Unavailable"})

    async with opened(browser, server, route=("**/api/v1/map?*", answer)) as page:
        await expect(page.locator("#lost")).to_contain_text("Unavailable")
        # Nor does the stream, going and coming, take back what the platform refused.
        await page.evaluate("dispatchEvent(new Event('offline'))")
        await expect(page.locator("#link.off")).to_be_visible()
        await expect(page.locator("#lost")).to_contain_text("Unavailable")
        await expect(page.locator(".cluster.is-critical")).to_have_count(1)
