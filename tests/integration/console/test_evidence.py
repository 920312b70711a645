"""What made an alert fire, and why nobody is called yet, on the alert itself."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, expect

from tests.integration.api import builders
from tests.integration.console.pages import opened


async def test_why_is_told_in_the_readers_language(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    evidence = {"values": {"fill_pct": 91.5, 'frozen("24h")': 1.0}, "limits": {"volume_l": 1100}}
    alert = await builders.fire(connection, await builders.add(connection, "bin-1"), evidence=evidence)

    async with opened(browser, server, f"/alerts/{alert}") as page:
        for language, fill, truth, limit in (
            ("English", "Fill: 91.5\u00a0%", "values do not move: yes", "(limit)"),
            ("Français", "Remplissage: 91,5\u00a0%", "valeurs figées: oui", "(limite)"),
            ("العربية", "الامتلاء: ٩١٫٥\u00a0٪", "القيم لا تتغيّر: نعم", "(الحد)"),
        ):
            await page.get_by_role("button", name=language).click()
            await expect(page.locator("html")).to_have_attribute("lang", LANGUAGES[language])
            told = page.locator("#explained .terms li")
            await expect(told.first).to_contain_text(fill.partition(":")[0])
            texts = [
                "".join(c for c in text if c not in "\u2066\u2068\u2069")
                for text in await told.all_text_contents()
            ]
            assert texts[:2] == [fill, truth]
            assert limit in texts[2]


LANGUAGES = {"English": "en", "Français": "fr", "العربية": "ar"}


async def test_alert_that_is_held_back_says_until_when_and_no_longer(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    held, told = await builders.add(connection, "bin-1"), await builders.add(connection, "bin-2")
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute("UPDATE rule SET suppress_by = $1", ["circuit-down"])
    await builders.fire(connection, held)
    await builders.fire(connection, told, at=builders.NOON - timedelta(minutes=6))

    async with opened(browser, server) as page:
        await expect(page.locator(".alert")).to_have_count(2)
        notes = page.locator(".alert [data-until]")
        await expect(notes.first).to_contain_text("Nobody is called before")
        await expect(notes.first).not_to_contain_text("circuit-down")
        await expect(notes.nth(1)).to_be_hidden()
