"""What made an alert fire, and why nobody is called yet, on the alert itself."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, expect

from tests.integration.api import builders
from tests.integration.console.pages import opened


async def test_details_say_what_made_an_alert_fire_in_the_readers_language(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    evidence = {"values": {"fill_pct": 91.5, 'frozen("24h")': 1.0}, "limits": {"volume_l": 1100}}
    await builders.fire(connection, await builders.add(connection, "bin-1"), evidence=evidence)

    for locale, details, fill, truth, limit in (
        ("en", "Details", "Fill91.5\u00a0%", "values do not moveyes", "(limit)"),
        ("fr", "Détails", "Remplissage91,5\u00a0%", "valeurs figéesoui", "(limite)"),
        ("ar", "التفاصيل", "الامتلاء٩١٫٥\u00a0%", "القيم لا تتغيّرنعم", "(الحد)"),
    ):
        async with opened(browser, server, locale=locale) as page:
            await page.get_by_role("button", name=details).click()
            told = page.locator(".alert .terms .value")
            await expect(told).to_have_count(3)
            texts = [
                "".join(c for c in text if c not in "\u2066\u2068\u2069")
                for text in await told.all_text_contents()
            ]
            assert texts[0] == fill
            assert texts[1] == truth
            assert limit in texts[2]


async def test_alert_that_is_held_back_says_until_when_and_for_which_rule(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute("UPDATE rule SET suppress_by = $1", ["circuit-down"])
    await builders.fire(connection, device)

    async with opened(browser, server) as page:
        held = page.locator(".alert [data-until]")
        await expect(held).to_be_visible()
        await expect(held).to_contain_text("Nobody is called before")
        await expect(held).to_contain_text("circuit-down")


async def test_alert_is_no_longer_called_held_back_once_its_time_is_over(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute("UPDATE rule SET suppress_by = $1", ["circuit-down"])
    await builders.fire(connection, device, at=builders.NOON - timedelta(minutes=6))

    async with opened(browser, server) as page:
        await expect(page.locator(".alert")).to_have_count(1)
        await expect(page.locator(".alert [data-until]")).to_be_hidden()
