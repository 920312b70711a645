"""The address of the console says what it shows: reloading, sharing, going back and signing in keep it."""

from __future__ import annotations

from contextlib import suppress

import asyncpg
from playwright.async_api import Browser, Error, Page, expect

from alerts.transition import Severity
from tests.integration.api import builders
from tests.integration.console.pages import SENTENCE, opened


def shown(page: Page) -> str:
    """Return path and query of a page."""
    return "/" + page.url.split("/", 3)[3]


async def test_filters_stand_in_the_address(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for name, severity in (("bin-1", Severity.CRITICAL), ("bin-2", Severity.MINOR)):
        device = await builders.add(connection, name)
        await builders.fire(connection, device, severity=severity, summary=SENTENCE)

    async with opened(browser, server) as page:
        await expect(page.locator(".alert")).to_have_count(2)
        await page.locator("#severities .is-minor").click()
        await expect(page.locator(".alert")).to_have_count(1)
        address = shown(page)

        await page.go_back()
        await expect(page.locator(".alert")).to_have_count(2)

    assert address == "/?severity=minor"
    async with opened(browser, server, address) as other:
        await expect(other.locator(".alert .summary")).to_have_text("Bin bin-2 is 91 % full")


async def test_alerts_have_addresses_of_their_own(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin:1.2")
    alert = await builders.fire(connection, device, summary=SENTENCE)

    async with opened(browser, server, f"/alerts/{alert}") as page:
        await expect(page.locator("#explained .events li")).to_have_count(1)
        await page.locator(".alert .plain-link").click()
        await expect(page.locator("#device h1")).to_have_text("bin:1.2")
        assert shown(page) == "/devices/bin%3A1.2"
        await page.go_back(wait_until="commit")
        await expect(page.locator("#explained .events li")).to_have_count(1)
        assert shown(page) == f"/alerts/{alert}"

        await builders.resolve(connection, device)
        await expect(page.locator("#explained .explained-head")).to_contain_text("Ended")
        await expect(page.locator(".alert")).to_have_count(0)
        await expect(page.locator("#explained .explained-actions button")).to_have_count(0)
        await expect(page.locator("#explained .events li")).to_have_count(2)

    async with opened(browser, server, "/alerts/999") as page:
        await expect(page.locator("#explained .problem")).to_be_visible()


async def test_signing_in_again_leads_back_with_what_was_typed(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device, summary=SENTENCE)

    async with opened(browser, server, f"/alerts/{alert}?severity=major") as page:
        comment = page.get_by_role("textbox", name="Comment")
        await comment.fill("crew is on its way")
        await page.context.clear_cookies()
        with suppress(Error):  # a question of the page itself may meet the end of the session first
            await page.get_by_role("button", name="Send", exact=True).click(timeout=5_000)

        await page.locator("input[name=token]").fill(builders.TOKEN)
        await page.get_by_role("button", name="Sign in with the token").click()
        await expect(comment).to_have_value("crew is on its way")
        assert shown(page) == f"/alerts/{alert}?severity=major"
