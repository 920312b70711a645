"""Pages of the console as a reader has them, for every test in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import Browser, Page, Route, expect

from api.http.guards import COOKIE
from tests.integration.api import builders

SENTENCE = {
    "en": "Bin {device} is 91 % full",
    "fr": "Le bac {device} est plein à 91 %",
    "ar": "الحاوية {device} ممتلئة بنسبة ٩١٪",
}
Answer = Callable[[Route], Awaitable[None]]
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


@asynccontextmanager
async def opened(
    browser: Browser,
    url: str,
    path: str = "",
    *,
    route: tuple[str, Answer] | None = None,
    script: str | None = None,
    elsewhere: str | None = None,
    **how: Any,
) -> AsyncIterator[Page]:
    """Open the console as a reader; any error of a script, and any request elsewhere, fails the test.

    A service worker would answer before a route of the test does: it is left out unless `how` allows it.
    `path` names a page of it. `route` stands between the page and the addresses of a pattern. `script`
    runs in the page before its own. `elsewhere`: another address that may be asked.
    """
    errors: list[str] = []
    allowed = (url, "data:") if elsewhere is None else (url, "data:", elsewhere)
    context = await browser.new_context(**{"locale": "en-GB", "service_workers": "block", **how})
    await context.add_cookies([{"name": COOKIE, "value": builders.TOKEN, "url": url}])
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(allowed) else errors.append(r.url))
    page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
    if route is not None:
        await page.route(*route)
    if script is not None:
        await page.add_init_script(script)
    await page.goto(url + path)
    await expect(page.locator("#link.on")).to_be_visible()
    yield page
    await context.close()
    assert errors == []


async def sign_in_by_link(page: Page, link: str) -> None:
    """Open a link that signs in, and press its button."""
    await page.goto(link)
    await page.locator("form button").click()


@asynccontextmanager
async def signed_in(browser: Browser, url: str, token: str) -> AsyncIterator[Page]:
    """Open the console as somebody with a token, in a browser of their own."""
    context = await browser.new_context(locale="en-GB", service_workers="block")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await sign_in_by_link(page, f"{url}/signin?token={token}")
    await expect(page.locator("#link.on")).to_be_visible()
    yield page
    await context.close()
