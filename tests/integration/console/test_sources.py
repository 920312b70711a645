"""Sources on the page of administrators: added, seen to do, changed; what another platform is told."""

from __future__ import annotations

import re
from typing import Any

import asyncpg
from playwright.async_api import Browser, Page, expect

from bench.console.accessibility import serious
from devices.sources import states
from devices.sources.listing import get_source, list_sources, secret_of
from devices.sources.states import Counted
from tests.integration.api import builders
from tests.integration.console.pages import opened

PHONE: dict[str, Any] = {"locale": "ar-LB", "viewport": {"width": 360, "height": 740}}
PROBLEM = "B-1: battery = '<b>low</b>': no number"


async def _says(connection: asyncpg.Connection, name: str, counted: Counted, **state: Any) -> None:
    source = await get_source(connection, name)
    await states.say(connection, source.id, counted, builders.now, **{"connected": True, **state})


async def test_a_broker_is_added_heard_edited_and_removed_without_a_terminal(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    async with opened(browser, server, "/admin/sources") as page:
        await expect(page.locator("#part .empty")).to_contain_text("No source yet")
        await page.get_by_role("button", name="Add a source").click()
        await page.locator("dialog [name=name]").fill("lora")
        await page.locator("dialog [name=url]").fill("mqtts://lora.example")
        await page.locator("dialog [name=username]").fill("nabd")
        await page.locator("dialog [name=secret]:enabled").fill("s3cret of ours")
        await page.locator("dialog [name=profile]").select_option("milesight-em310-udl")
        await page.locator("dialog [name=models]").fill("EM400-MUD milesight-em400-mud")
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("dialog .problem[role=alert]")).to_contain_text("expected model = profile")
        await page.locator("dialog [name=models]").fill("EM400-MUD = milesight-em400-mud")
        await page.locator("dialog [type=submit]").click()

        await expect(page).to_have_url(re.compile("/admin/sources/lora$"))
        part = page.locator("#part")
        await expect(part).to_contain_text("Does nabd bridge run?")
        assert "s3cret" not in await page.content()
        await _is_seen_to_do(page, connection)

        await page.get_by_role("button", name="Edit").click()
        await page.locator("dialog [name=url]").fill("mqtts://other.example")
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("dialog .problem[role=alert]")).to_contain_text("told for another url")
        await page.get_by_label("No password any more").check()
        await page.locator("dialog [type=submit]").click()
        await expect(part).to_contain_text("mqtts://other.example")
        await page.get_by_role("button", name="Disable").click()
        await expect(part.locator(".tag").first).to_have_text("Disabled")
        (kept,) = await list_sources(connection)
        assert (kept.url, kept.has_secret, kept.enabled) == ("mqtts://other.example", False, False)
        assert kept.profiles == {"EM400-MUD": "milesight-em400-mud"}
        assert (kept.topics, kept.username) == (("application/+/device/+/event/+",), "nabd")

        await page.get_by_role("button", name="Remove").click()
        await page.locator("dialog .dialog-foot").get_by_role("button", name="Cancel").click()
        assert len(await list_sources(connection)) == 1
        await page.get_by_role("button", name="Remove").click()
        await expect(page.locator("dialog")).to_contain_text("their readings stay")
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("#part .empty")).to_contain_text("No source yet")
    assert await list_sources(connection) == []


async def _is_seen_to_do(page: Page, connection: asyncpg.Connection) -> None:
    """See that what happens is shown without a reload."""
    part = page.locator("#part")
    await _says(connection, "lora", Counted(messages=1234, readings=1200, last_message_at=builders.now()))
    await expect(part.locator(".tag").first).to_have_text("Connected")
    await expect(part).to_contain_text("1,234")
    lost = Counted(messages=1, problems=1, problem=PROBLEM, problem_at=builders.now())
    await _says(connection, "lora", lost, connected=False, reason="[Errno 111] Connection refused")
    await expect(part.locator(".tag").first).to_have_text("Away")
    await expect(part).to_contain_text("Connection refused")
    await expect(part.locator("code")).to_have_text(PROBLEM)


async def test_a_webhooks_secret_is_shown_once_beside_its_address(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    async with opened(browser, server, "/admin/sources") as page:
        await page.get_by_role("button", name="Add a source").click()
        await page.locator("dialog [name=way]").select_option("webhook")
        await expect(page.locator("dialog [name=url]")).to_be_hidden()
        formats = await page.locator("dialog [name=format] option").evaluate_all(
            "all => all.map(o => o.value)"
        )
        assert "chirpstack" in formats
        assert "sparkplug" not in formats
        await page.locator("dialog [name=name]").fill("hook")
        await page.locator("dialog [name=format]").select_option("things_stack")
        await page.locator("dialog [type=submit]").click()

        address, header, secret = (page.locator("dialog .copied").nth(n) for n in range(3))
        await expect(address).to_have_value(f"{server}/api/v1/webhooks/hook")
        source = await get_source(connection, "hook")
        made = await secret_of(connection, source)
        assert (source.format, made[:6]) == ("things_stack", "whsec_")
        await expect(secret).to_have_value(made)
        await expect(header).to_have_value(f"Authorization: Bearer {made}")
        await page.keyboard.press("Escape")
        await expect(page.locator("#part .copied")).to_have_value(f"{server}/api/v1/webhooks/hook")
        await page.reload()
        await expect(page.locator("#part")).to_contain_text("told to nobody")
        assert made not in await page.content()

        await page.get_by_role("button", name="New secret").click()
        await page.locator("dialog [type=submit]").click()
        await expect(secret).not_to_have_value(made)
        another = await secret_of(connection, source)
        assert another != made
        await expect(secret).to_have_value(another)


async def test_devices_that_post_themselves_get_no_secret_but_their_own(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    async with opened(browser, server, "/admin/sources") as page:
        await page.get_by_role("button", name="Add a source").click()
        await page.locator("dialog [name=way]").select_option("webhook")
        await page.locator("dialog [name=format]").select_option("nabd")
        await expect(page.locator("dialog [name=secret]:enabled")).to_have_count(0)
        await page.locator("dialog [name=name]").fill("http")
        await page.locator("dialog [type=submit]").click()

        await expect(page.locator("#part .copied")).to_have_value(f"{server}/api/v1/telemetry")
        await expect(page.get_by_role("button", name="New secret")).to_have_count(0)
    assert not (await get_source(connection, "http")).has_secret


async def test_sources_are_used_from_right_to_left_on_a_phone_and_by_keyboard(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    async with opened(browser, server, "/admin/sources", **PHONE) as page:
        add = page.get_by_role("button", name="إضافة مصدر")
        await add.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog [name=name]")).to_be_focused()
        await page.keyboard.type("lora")
        assert await serious(page) == []
        await page.locator("dialog [name=way]").select_option("webhook")
        assert await serious(page) == []
        await page.locator("dialog [name=name]").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("dialog .copied")).to_have_count(3)
        assert await serious(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator("#part")).to_contain_text("Webhook")
        await _says(
            connection, "lora", Counted(messages=3, problems=1, problem=PROBLEM, problem_at=builders.now())
        )
        await expect(page.locator("#part code")).to_have_text(PROBLEM)
        assert await serious(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
        await page.get_by_role("link", name="المصادر").last.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#part tbody tr")).to_contain_text("lora")
        assert await serious(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") == 360
