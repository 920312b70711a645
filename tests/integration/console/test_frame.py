"""What every page does by itself: waits its turn, loads a new edition, notifies, hears late what ended."""

from __future__ import annotations

import re

import asyncpg
from fastapi import FastAPI
from playwright.async_api import Browser, Route, expect

from alerts.transition import Severity
from tests.integration.api import builders
from tests.integration.console.pages import SENTENCE, opened
from tests.integration.console.test_console import restarted
from tests.serving import serving

EDITION = "import('/console/shell/edition.js').then((edition) => edition.hearEdition('another'))"
PHONE = """
localStorage.setItem("nabd.notice", JSON.stringify({ sound: false, browser: true, from: "major" }));
window.Notification = class {
  static permission = "granted";
  constructor() { throw new TypeError("Illegal constructor"); }
};
"""
SHOWN = """
(async () => {
  for (let i = 0; i < 100; i += 1) {
    const [one] = await (await navigator.serviceWorker.ready).getNotifications();
    if (one) return [one.title, one.body, one.data.url];
    await new Promise((done) => setTimeout(done, 100));
  }
})()
"""
TOLD = """
localStorage.setItem("nabd.push", "%s");
const ENDPOINT = "https://push.example.org/wpush/1";
navigator.serviceWorker.getRegistration = async () => ({ pushManager: { getSubscription: async () => ({
  endpoint: ENDPOINT,
  toJSON: () => ({ endpoint: ENDPOINT, keys: {} }),
  unsubscribe: async () => (document.documentElement.dataset.ended = ""),
}) } });
"""


async def test_page_that_asked_too_often_says_when_it_tries_again(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-1")
    refusals = iter(range(1))

    async def answer(route: Route) -> None:
        if next(refusals, None) is None:
            await route.continue_()
        else:
            await route.fulfill(status=429, headers={"Retry-After": "4"}, json={"title": "Too many attempts"})

    async with opened(browser, server, "/devices", route=("**/api/v1/session", answer)) as page:
        await expect(page.locator("#lost")).to_have_text("Asked too often; trying again in 4 seconds")
        await expect(page.locator(".row")).to_have_count(1)
        await expect(page.locator("#lost")).to_be_hidden()


async def test_page_of_another_edition_loads_itself_anew_once_nobody_writes(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    async with opened(browser, server) as page:
        await page.locator("[data-tool=handover]").click()
        await expect(page.locator("dialog[open]")).to_be_visible()
        await page.evaluate(EDITION)
        await expect(page.locator("#edition")).to_contain_text("renewed")

        async with page.expect_event("load"):
            await page.keyboard.press("Escape")
        await expect(page.locator("#edition")).to_be_hidden()
        await expect(page.locator("#link.on")).to_be_visible()


async def test_whoever_opens_a_page_takes_no_messages_of_others_over(browser: Browser, server: str) -> None:
    said: list[str] = []

    async def answer(route: Route) -> None:
        said.append(route.request.method)
        await route.fulfill(json={"items": []})

    route = ("**/api/v1/session/push", answer)
    async with opened(browser, server, route=route, script=TOLD % "somebody") as page:
        await page.evaluate("import('/console/shell/push.js').then((push) => push.sayAgain())")
        assert said == []
        assert await page.evaluate("localStorage.getItem('nabd.push')") == "somebody"

    # Of whom an earlier version kept no name, the platform knows whether it is the reader: here it is not.
    async with opened(browser, server, route=route, script=TOLD % "1") as page:
        await expect(page.locator("html[data-ended]")).to_be_attached()
        assert await page.evaluate("localStorage.getItem('nabd.push')") is None
        assert said == ["GET"]


async def test_notice_is_the_workers_where_a_page_may_show_none(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")

    async with opened(browser, server, script=PHONE, service_workers="allow") as page:
        await page.context.grant_permissions(["notifications"], origin=server)
        await page.evaluate("navigator.serviceWorker.ready.then(() => {})")
        alert = await builders.fire(connection, device, severity=Severity.CRITICAL, summary=SENTENCE)

        shown = await page.evaluate(SHOWN)
    assert shown == ["Critical", "Bin bin-1 is 91 % full", f"/alerts/{alert}"]


async def test_device_page_drops_what_ended_while_nothing_was_heard(
    browser: Browser, app: FastAPI, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1")
    await builders.fire(connection, device, summary=SENTENCE)
    first = serving(app)
    url = await first.__aenter__()

    async with opened(browser, url, "/devices/bin-1") as page:
        await expect(page.locator(".alert-line")).to_have_text(re.compile("91 % full"))
        await first.__aexit__()
        await builders.resolve(connection, device)
        async with serving(restarted(app), int(url.rpartition(":")[2])):
            await expect(page.locator(".alert-line")).to_have_count(0)
