"""Scripts and Python say the same: texts of one catalogue, forms by one set of rules."""

from __future__ import annotations

from collections.abc import Iterable

from playwright.async_api import Browser, expect

from api.http.guards import COOKIE
from api.pages.assets import PAGES
from api.pages.texts import SHARED
from devices.texts.catalogue import group, plural
from devices.texts.languages import LANGUAGES, Language
from tests.integration.api import builders
from tests.integration.console.pages import opened

NUMBERS = [*range(200), 203, 300, 999]
LATIN = "ar-LY"
"""Python writes Latin digits, and so does Libya in Arabic."""

SAY = """async ([room, language, town, keys, numbers]) => {
    const i18n = await import("/console/shell/i18n.js");
    await i18n.use(room, language);
    i18n.place({ locale: town });
    return keys.map((key) => numbers.map((n) => i18n.tn(key, n)));
}"""
TEXTS = """async ([language, rooms]) => {
    const i18n = await import("/console/shell/i18n.js");
    const said = {};
    for (const [room, keys] of Object.entries(rooms)) {
        await i18n.use(room, language);
        said[room] = Object.fromEntries(keys.map((key) => [key, i18n.t(key)]));
    }
    return said;
}"""


def counted(language: Language) -> list[str]:
    """Return the console's texts that depend on a number."""
    return [key for key, text in group(language, "console").items() if not isinstance(text, str)]


async def test_scripts_say_what_the_catalogue_says_and_choose_the_form_that_python_does(
    browser: Browser, server: str
) -> None:
    async with opened(browser, server) as page:
        for language in LANGUAGES:
            keys = counted(language)
            assert len(keys) > 3
            forms = await page.evaluate(SAY, ["queue", language, LATIN, keys, NUMBERS])
            assert forms == [[plural(language, f"console.{key}", n) for n in NUMBERS] for key in keys]

            said = {room: plain(language, (*SHARED, f"console_{room}")) for room in PAGES}
            asked = {room: list(texts) for room, texts in said.items()}
            assert await page.evaluate(TEXTS, [language, asked]) == said


def plain(language: Language, groups: Iterable[str]) -> dict[str, str]:
    """Return the texts of some groups that have no placeholders and no forms."""
    texts = {key: text for name in groups for key, text in group(language, name).items()}
    return {key: text for key, text in texts.items() if isinstance(text, str) and "{" not in text}


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
        "/console/texts/queue.json",
    ]
    await context.close()
