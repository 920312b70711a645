"""Pages of the console by name, a picture of each in every language, theme and width, and contact sheets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

from PIL import Image
from playwright.async_api import Browser, Page

from bench.console.browser import READY
from devices.texts.languages import LANGUAGES, LOCALES, Language

Width = Literal["desk", "phone"]
Theme = Literal["light", "dark"]
SIZES: Mapping[Width, Any] = {"desk": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
DRAWN_MS = 1500
"""Charts come after the page says that it is loaded, and what lies under maps after them."""
MAP_MS = 6000
PLACED = ".small-map .mark, .small-map .empty"
"""The map of one device is there, or says why it is not."""
NO_TEXT = re.compile(r"\[object |undefined|NaN|Invalid Date|[٠-٩][:.,/-]?[0-9]|[0-9][:.,/-]?[٠-٩]")
"""What JavaScript makes of things that are no text, and numbers in digits of two scripts."""
A_SHEET = 36
IN_GUIDES: Mapping[str, Width] = {
    "desk": "desk",
    "alert": "desk",
    "device": "desk",
    "order": "phone",
    "reports": "desk",
    "rule": "desk",
}
"""Pages whose picture the guides show."""
GUIDE_PX, GUIDE_QUALITY = {"desk": 1100, "phone": 390}, 80
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
    themes: tuple[Theme, ...] = get_args(Theme),
    drawn: bool = False,
) -> None:
    """Open every page in every language, theme and width, and call `look` with it and what it is called.

    drawn: what is drawn after the page is loaded matters too, charts and maps.
    """
    for language in languages:
        for theme in themes:
            for width in widths:
                context = await browser.new_context(
                    locale=LOCALES[language], color_scheme=theme, viewport=SIZES[width]
                )
                await context.add_cookies(cookies)
                for name, path in pages.items():
                    page = await context.new_page()
                    await page.goto(url + path)
                    await page.wait_for_selector(READY, timeout=60_000)
                    if drawn:
                        await _drawn(page)
                    await _reads_well(page, f"{path} {language}")
                    await look(page, f"{name}-{language}-{theme}-{width}")
                    await page.close()
                await context.close()


async def _reads_well(page: Page, where: str) -> None:
    """Raise ValueError where a page shows what nobody reads."""
    if wrong := NO_TEXT.search(await page.inner_text("body")):
        raise ValueError(f"{where} shows {wrong[0]!r}")


async def _drawn(page: Page) -> None:
    await page.wait_for_timeout(DRAWN_MS)
    if await page.locator(".small-map").count():
        await page.locator(PLACED).first.wait_for(timeout=60_000)
    if await page.locator("[class*=map]").count():
        await page.wait_for_timeout(MAP_MS)


async def pictures(
    browser: Browser, url: str, cookies: Any, pages: Mapping[str, str], directory: Path, **ways: Any
) -> list[Path]:
    """Write a picture of every page and return where they are.

    directory: exists. ways: languages, themes and widths, see `each`.
    """
    written: list[Path] = []

    async def look(page: Page, name: str) -> None:
        path = directory / f"{name}.png"
        await page.screenshot(path=path)
        written.append(path)

    await each(browser, url, cookies, pages, look, drawn=True, **ways)
    return written


async def guide_pictures(
    browser: Browser, url: str, cookies: Any, pages: Mapping[str, str], directory: Path
) -> list[Path]:
    """Write those that the guides show, small, in each language; return where they are."""
    written = []
    with TemporaryDirectory() as large:
        for name, width in IN_GUIDES.items():
            if name in pages:
                page = {name: pages[name]}
                taken = await pictures(
                    browser, url, cookies, page, Path(large), themes=("light",), widths=(width,)
                )
                written += [_small(path, directory, width) for path in taken]
    return written


def _small(picture: Path, directory: Path, width: Width) -> Path:
    name, language, *_ = picture.stem.split("-")
    path = directory / f"{name}.{language}.webp"
    with Image.open(picture) as shot:
        across = GUIDE_PX[width]
        small = shot.convert("RGB").resize((across, round(shot.height * across / shot.width)))
        small.save(path, quality=GUIDE_QUALITY, method=6)
    return path


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
