"""Why an alert fires, on the panel of its device."""

from __future__ import annotations

import re
from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, expect

from rules.catalogue import editing
from rules.loading.files import parse
from tests.actors import actor
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened

OVERFLOW = """
id: bin-overflow
kind: bin
summary: {en: x, fr: x, ar: x}
levels: {major: fill_pct >= 85}
clear: fill_pct < 70
"""


async def test_panel_says_why_an_alert_fires_when_asked(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", lat=34.43, lon=35.84)
    rule = parse(OVERFLOW, builders.KINDS)
    await editing.apply(
        connection, rule, by=await actor(connection, "Rima"), now=builders.now() - 3600 * 1_000_000
    )
    await builders.store(connection, device, [{"observed_at": NOON - timedelta(minutes=5), "fill_pct": 91.0}])
    await builders.fire(connection, device, at=NOON - timedelta(minutes=5))
    await builders.report(connection, device, fill_pct=91.0)

    async with opened(browser, server) as page:
        await page.locator(".alert").get_by_role("link", name="bin-1").first.click()
        await page.locator("#device").get_by_role("button", name="Why?").click()

        why = page.locator("#device .why")
        await expect(why).to_contain_text("bin-overflow is firing on bin-1")
        await expect(why).to_contain_text("Fill at least 85 · 91 · holds")
        await expect(why).to_contain_text("Fill below 70 · 91 · does not hold")

        await page.locator("#device").get_by_role("button", name="Why?").click()
        await expect(why).to_have_count(0)

    async with opened(browser, server, locale="ar-LB") as page:
        await page.locator(".alert").get_by_role("link", name="bin-1").first.click()
        await page.locator("#device").get_by_role("button", name="لماذا؟").click()

        instants = page.locator("#device .why bdi").filter(
            has_text=re.compile(r"^\d{4}-\d\d-\d\d [\d:]+\+0[23]:00$")
        )
        await expect(instants.first).to_be_visible()
