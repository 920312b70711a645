"""Scripts and Python say the same: texts of one catalogue, forms by one set of rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from api.http.guards import COOKIE
from api.http.texts import GROUPS
from devices.texts.catalogue import group, plural
from devices.texts.languages import LANGUAGES, Language
from tests.integration.api import builders
from tests.integration.console.test_console import opened

NUMBERS = [*range(200), 203, 300, 999]
LATIN = "ar-LY"
"""Python writes Latin digits, and so does Libya in Arabic."""

SAY = """async ([language, town, keys, numbers]) => {
    const i18n = await import("/console/shell/i18n.js");
    await i18n.use(language);
    i18n.place({ locale: town });
    return keys.map((key) => numbers.map((n) => i18n.tn(key, n)));
}"""
TEXTS = """async ([language, keys]) => {
    const i18n = await import("/console/shell/i18n.js");
    await i18n.use(language);
    return Object.fromEntries(keys.map((key) => [key, i18n.t(key)]));
}"""


def counted(language: Language) -> list[str]:
    """Return the console's texts that depend on a number."""
    return [key for key, text in group(language, "console").items() if not isinstance(text, str)]


async def evaluated(browser: Browser, url: str, script: str, given: Iterable[Any]) -> Any:
    """Return what a script comes to on the page."""
    async with opened(browser, url) as page:
        return await page.evaluate(script, list(given))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_scripts_and_python_choose_the_same_form_for_every_number(
    browser: Browser, server: str, language: Language
) -> None:
    keys = counted(language)
    assert len(keys) > 3

    said = await evaluated(browser, server, SAY, [language, LATIN, keys, NUMBERS])

    assert said == [[plural(language, f"console.{key}", n) for n in NUMBERS] for key in keys]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_scripts_say_what_the_catalogue_says(browser: Browser, server: str, language: Language) -> None:
    texts = {key: text for name in GROUPS for key, text in group(language, name).items() if "{" not in text}
    plain = {key: text for key, text in texts.items() if isinstance(text, str)}

    assert await evaluated(browser, server, TEXTS, [language, list(plain)]) == plain


async def test_page_asks_for_its_texts_once_and_for_no_other_language(browser: Browser, server: str) -> None:
    asked: list[str] = []
    context = await browser.new_context(locale="ar-LB")
    await context.add_cookies([{"name": COOKIE, "value": builders.TOKEN, "url": server}])
    page = await context.new_page()
    page.on("request", lambda request: asked.append(request.url.removeprefix(server)))

    await page.goto(server)
    await expect(page.locator("#queue-title")).to_have_text("التنبيهات")

    assert [url for url in asked if "texts" in url or "i18n" in url] == [
        "/console/shell/i18n.js",
        "/console/texts.json",
    ]
    await context.close()
