"""Nothing on a page keeps people from using it: axe-core, and how it fits a phone.

Each page once, languages and themes by turns; `nabd bench console` opens every page in all of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from playwright.async_api import Browser, expect

from bench.console.accessibility import serious
from devices.texts.languages import LOCALES, Language
from tests.integration.console import town
from tests.integration.console.pages import opened

LOOKED_AT: list[tuple[str, Language, str]] = [
    ("/", "en", "dark"),
    ("/alerts/1", "ar", "light"),
    ("/devices", "fr", "dark"),
    ("/devices/bin-0000", "ar", "dark"),
    ("/work", "ar", "light"),
    ("/reports", "fr", "light"),
    ("/admin", "ar", "dark"),
    ("/admin/sources", "fr", "light"),
    ("/account", "en", "light"),
    ("/guide/operator", "ar", "dark"),
]
PHONE = {"width": 360, "height": 740}


@pytest.mark.timeout(240)
async def test_pages_have_nothing_serious_against_them_and_fit_a_phone(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await town.build(connection, datetime.now(UTC), devices=20)
    found: list[str] = []

    for path, language, theme in LOOKED_AT:
        how: dict[str, Any] = {"locale": LOCALES[language], "color_scheme": theme, "viewport": PHONE}
        async with opened(browser, server, path, **how) as page:
            await expect(page.locator("html[data-loaded]")).to_have_count(1)
            await expect(page.locator("#explained:not([hidden]) > p.empty")).to_have_count(0)
            found += [f"{path} {language} {theme}: {line}" for line in await serious(page)]
            width = await page.evaluate("document.documentElement.scrollWidth")
            if width > PHONE["width"]:
                found.append(f"{path} {language}: {width} pixels wide")

    assert found == []
