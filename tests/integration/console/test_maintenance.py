"""Maintenance windows on the panel of the device they cover."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, expect

from rules.maintenance import windows
from tests.actors import actor
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened


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
