"""The address of the console says what it shows: reloading, sharing, going back and signing in keep it."""

from __future__ import annotations

import asyncpg
from playwright.async_api import Browser, Page, expect

from alerts.transition import Severity
from tests.integration.api import builders
from tests.integration.console.test_console import SENTENCE, opened


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
        await page.locator("#search").fill("bin-2")
        await expect(page.locator(".row")).to_have_count(1)
        address = shown(page)

        await page.go_back()
        await expect(page.locator(".alert")).to_have_count(2)
        await expect(page.locator(".row")).to_have_count(2)
        await expect(page.locator("#search")).to_have_value("")

    assert address == "/?severity=minor&q=bin-2"
    async with opened(browser, server, address) as other:
        await expect(other.locator(".alert .summary")).to_have_text("Bin bin-2 is 91 % full")
        await expect(other.locator(".row")).to_have_count(1)
        await expect(other.locator("#search")).to_have_value("bin-2")


async def test_devices_and_alerts_have_addresses_of_their_own(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin:1.2")
    alert = await builders.fire(connection, device, summary=SENTENCE)

    async with opened(browser, server, f"/alerts/{alert}") as page:
        await expect(page.locator(".alert .events li")).to_have_count(1)
        await page.locator(".alert .plain-link").click()
        await expect(page.locator("#panel h2")).to_have_text("bin:1.2")
        await page.locator("#panel .chip", has_text="7 days").click()
        assert shown(page) == f"/devices/bin%3A1.2?alert={alert}&hours=168"

        await page.reload()
        await expect(page.locator("#panel h2")).to_have_text("bin:1.2")
        await expect(page.locator("#panel .chip[aria-pressed=true]")).to_have_text("7 days")
        await page.keyboard.press("Escape")
        await expect(page.locator("#panel")).not_to_be_visible()
        assert shown(page) == f"/alerts/{alert}"

        await page.go_back()
        await expect(page.locator("#panel h2")).to_have_text("bin:1.2")
        await page.go_back()
        await expect(page.locator("#panel .chip[aria-pressed=true]")).to_have_text("24 hours")
        await page.go_back()
        await expect(page.locator("#panel")).not_to_be_visible()
        assert shown(page) == f"/alerts/{alert}"

        await builders.resolve(connection, device)
        await expect(page.locator(".alert .meta")).to_contain_text(["Ended"])
        await expect(page.locator(".alert .primary")).to_have_count(0)
        await expect(page.locator(".alert .events li")).to_have_count(2)

    async with opened(browser, server, "/alerts/999") as page:
        await expect(page.locator("#alerts .problem")).to_be_visible()
    async with opened(browser, server, "/devices/bin-9") as page:
        await expect(page.locator("#panel .values")).to_have_text("There is no such device here")


async def test_signing_in_again_leads_back_with_what_was_typed(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device, summary=SENTENCE)

    async with opened(browser, server, f"/alerts/{alert}?severity=major") as page:
        comment = page.get_by_role("textbox", name="Comment")
        await comment.fill("crew is on its way")
        await page.context.clear_cookies()
        await page.get_by_role("button", name="Send").click()

        await page.locator("input[name=token]").fill(builders.TOKEN)
        await page.get_by_role("button", name="Sign in with the token").click()
        await expect(comment).to_have_value("crew is on its way")
        assert shown(page) == f"/alerts/{alert}?severity=major"
