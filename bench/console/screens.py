"""Pages of the console by name, a picture of each in every language, theme and width, and contact sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from PIL import Image
from playwright.async_api import Browser, Page

from bench.console.browser import READY
from devices.texts.languages import LANGUAGES, LOCALES, Language

Width = Literal["desk", "phone"]
Theme = Literal["light", "dark"]
SIZES: Mapping[Width, Any] = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
DRAWN_MS = 1500
"""Maps and charts come after the page says that it is loaded."""
A_SHEET = 36
THUMBNAIL = {"desk": (480, 300), "phone": (195, 422)}


async def each(
    browser: Browser,
    url: str,
    cookies: Any,
    pages: Mapping[str, str],
    look: Callable[[Page, str], Any],
    *,
    languages: tuple[Language, ...] = LANGUAGES,
    widths: tuple[Width, ...] = get_args(Width),
) -> None:
    """Open every page in every language, theme and width, and call `look` with it and what it is called."""
    for language in languages:
        for theme in get_args(Theme):
            for width in widths:
                context = await browser.new_context(
                    locale=LOCALES[language], color_scheme=theme, viewport=SIZES[width]
                )
                await context.add_cookies(cookies)
                for name, path in pages.items():
                    page = await context.new_page()
                    await page.goto(url + path)
                    await page.wait_for_selector(READY, timeout=60_000)
                    await page.wait_for_timeout(DRAWN_MS)
                    await look(page, f"{name}-{language}-{theme}-{width}")
                    await page.close()
                await context.close()


async def pictures(
    browser: Browser, url: str, cookies: Any, pages: Mapping[str, str], directory: Path
) -> list[Path]:
    """Write a picture of every page and return where they are.

    directory: exists.
    """
    written: list[Path] = []

    async def look(page: Page, name: str) -> None:
        path = directory / f"{name}.png"
        await page.screenshot(path=path)
        written.append(path)

    await each(browser, url, cookies, pages, look)
    return written


def sheets(pictures: Sequence[Path], directory: Path) -> None:
    """Write contact sheets of each width, each of six pages in six ways."""
    for width in get_args(Width):
        own = [path for path in pictures if path.stem.endswith(width)]
        for number, first in enumerate(range(0, len(own), A_SHEET)):
            path = directory / f"sheet-{width}-{number + 1}.png"
            sheet(own[first : first + A_SHEET], path, width)


def sheet(pictures: Sequence[Path], path: Path, width: Width) -> None:
    """Write one picture with all others small in it, six a row."""
    across, (broad, high) = 6, THUMBNAIL[width]
    rows = -(-len(pictures) // across)
    whole = Image.new("RGB", (across * (broad + 8), rows * (high + 8)), "#888888")
    for n, picture in enumerate(pictures):
        with Image.open(picture) as one:
            small = one.convert("RGB").resize((broad, high))
        whole.paste(small, ((n % across) * (broad + 8) + 4, (n // across) * (high + 8) + 4))
    whole.save(path)
