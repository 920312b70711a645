"""What axe-core finds on every page of the console that keeps people from using it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from playwright.async_api import Browser, Page

from bench.console.screens import each

SERIOUS = {"serious", "critical"}
DRAW_ALL = """
const sheet = new CSSStyleSheet();
sheet.replaceSync("* { content-visibility: visible !important }");
document.adoptedStyleSheets.push(sheet);
"""
"""What is outside the window is not laid out: axe-core would compare its colours with what lies elsewhere."""
AXE = resources.files("axe_playwright_python") / "axe.min.js"


async def serious(page: Page) -> list[str]:
    """Return what is serious on a page, a line each: rule, what is wrong, where."""
    await page.evaluate(DRAW_ALL)
    await page.evaluate(AXE.read_text(encoding="utf-8"))
    found = await page.evaluate("axe.run()")
    return [
        f"{violation['id']}: {violation['help']}: {node['target']}"
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


async def of_every_page(browser: Browser, url: str, cookies: Any, pages: Mapping[str, str]) -> list[str]:
    """Return what is serious on any page in any language, theme and width."""
    found: list[str] = []

    async def look(page: Page, name: str) -> None:
        found.extend(f"{name}: {line}" for line in await serious(page))

    await each(browser, url, cookies, pages, look)
    return found
