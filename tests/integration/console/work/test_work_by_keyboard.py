"""A technician's job from the list to done, by keys alone: who cannot use a mouse works too."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from playwright.async_api import Browser, Page, expect

from api.app import create_app
from people.links import create_link
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.console.work.test_work_page import opened, order_of
from tests.integration.work.builders import person
from tests.serving import serving

MOST_TABS = 80
HAS_FOCUS = "selector => document.activeElement?.matches(selector) ?? false"


async def tab_to(page: Page, selector: str) -> None:
    """Press Tab until something has the focus, as a person does who looks for it."""
    for _ in range(MOST_TABS):
        if await page.evaluate(HAS_FOCUS, selector):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {selector}")


async def take(page: Page, step: str) -> None:
    """Take the next step of an order, once the one before is done with: until then its button waits."""
    await expect(page.locator(f".steps [data-step={step}]")).to_be_enabled()
    await tab_to(page, f".steps [data-step={step}]")
    await page.keyboard.press("Enter")


async def test_technician_works_by_keyboard_alone(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    rima = await person(connection, "rima", display_name="Rima")
    order = await order_of(connection, "bin-1", "rima")
    refused = await order_of(connection, "bin-2", "rima")
    link = await create_link(connection, rima.principal, builders.now(), by=PLATFORM)
    app = create_app(
        pool=pool,
        kinds=builders.KINDS,
        now=builders.now,
        beyond_loopback=True,
        photo_dir=tmp_path / "photos",
    )

    async with serving(app) as url, opened(browser, url, link, "en-GB") as page:
        press = page.keyboard.press

        # One is not for her, and she says why.
        await tab_to(page, f"[data-focus='order {refused}']")
        await press("Enter")
        await take(page, "decline")
        await expect(page.locator("dialog textarea")).to_be_focused()
        await page.keyboard.type("no ladder")
        await tab_to(page, "dialog [type=submit]")
        await press("Enter")
        await expect(page.locator("dialog")).to_have_count(0)

        await tab_to(page, "[data-focus=back]")
        await press("Enter")
        await tab_to(page, f"[data-focus='order {order}']")
        await press("Enter")
        for step, next_ in (("accept", "on-the-way"), ("on-the-way", "start"), ("start", "done")):
            await take(page, step)
            # The button of the step is where that of the one before was, and has the focus still.
            await expect(page.locator(f".steps [data-step={next_}]")).to_be_focused()

        items = page.locator(".check-item")
        for n in range(await items.count()):
            name = await items.nth(n).get_attribute("data-item")
            await tab_to(page, f"[data-item={name}] input[type=radio]")
            await press("Space")
        await tab_to(page, "textarea[name=done]")
        await page.keyboard.type("lid mended")
        await take(page, "done")
        await expect(page.locator(".told q")).to_contain_text("lid mended")

    states = await connection.fetch("SELECT id, state FROM work_order ORDER BY id")
    assert {row["id"]: row["state"] for row in states} == {order: "done", refused: "open"}
