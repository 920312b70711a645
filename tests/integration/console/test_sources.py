"""Sources on the page of administrators: added, seen to do, changed; what another platform is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import asyncpg
from playwright.async_api import Browser, Page, expect

from bench.console.accessibility import serious
from devices.credentials.authority import new_authority
from devices.sources import registration, states
from devices.sources.listing import get_source, list_sources, secret_of
from devices.sources.source import NewSource, Way
from devices.sources.states import Counted
from devices.sources.translation import ALL
from store.audit import PLATFORM
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
        await _is_told_nowhere(page, "s3cret of ours")
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


async def _is_told_nowhere(page: Page, secret: str) -> None:
    """See that neither a field of the page nor an answer to it holds a secret."""
    held = await page.evaluate(
        """async () => [
            document.documentElement.outerHTML,
            ...[...document.querySelectorAll("input, textarea")].map((one) => one.value),
            ...await Promise.all(["/api/v1/sources", location.pathname.replace("/admin", "/api/v1")]
                .map(async (path) => (await fetch(path)).text())),
        ]"""
    )
    assert all('"has_secret":' in answer for answer in held[-2:]), held[-2:]
    assert not any(secret in one for one in held)


async def _is_seen_to_do(page: Page, connection: asyncpg.Connection) -> None:
    """See that what happens is shown without a reload."""
    part = page.locator("#part")
    await _says(connection, "lora", Counted(messages=1234, readings=1200, last_message_at=builders.now()))
    await expect(part.locator(".tag").first).to_have_text("Connected")
    await expect(part).to_contain_text("1,234")
    lost = Counted(messages=1, problems=1, problem=PROBLEM, problem_at=builders.now(), unread=4321)
    await _says(connection, "lora", lost, connected=False, reason="[Errno 111] Connection refused")
    await expect(part.locator(".tag").first).to_have_text("Away")
    await expect(part).to_contain_text("Connection refused")
    await expect(part.locator("code")).to_have_text(PROBLEM)
    await expect(part).to_contain_text("Left")
    await expect(part).to_contain_text("4,321")


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
        assert not {"sparkplug", "mavlink"} & set(formats)
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
        await _is_told_nowhere(page, made)

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


async def test_what_the_form_shows_and_nobody_changes_stays_as_it_is_stored(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await _add_lora(connection)
    # As a file was stored before, and a profile that was refused since.
    await connection.execute("UPDATE source SET authority = authority || E'\n', profile = 'gone'")
    async with opened(browser, server, "/admin/sources/lora") as page:
        await page.get_by_role("button", name="Edit").click()
        await expect(page.locator("dialog [name=profile]")).to_have_value("gone")
        await page.locator("dialog [name=models]").fill("EM400-MUD = milesight-em400-mud")
        await page.locator("dialog [type=submit]").click()

        await expect(page.locator("#part")).to_contain_text("EM400-MUD")
        kept = await get_source(connection, "lora")
        assert (kept.profile, kept.has_secret) == ("gone", True)

        await page.get_by_role("button", name="Edit").click()
        await page.locator("dialog [name=format]").select_option("sparkplug")
        await expect(page.locator("dialog [name=topics]")).to_have_value("")
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("#part")).to_contain_text("spBv1.0/#")


async def test_a_form_is_of_the_source_as_it_is_and_does_not_undo_what_another_did(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await _add_lora(connection)
    async with opened(browser, server, "/admin/sources/lora") as page:
        await expect(page.locator("#part")).to_contain_text("mqtts://lora.example")
        await _edit(connection, "lora", username="first")
        await page.get_by_role("button", name="Edit").click()
        await expect(page.locator("dialog [name=username]")).to_have_value("first")
        await _edit(connection, "lora", username="second", enabled=False)
        await page.locator("dialog [name=username]").fill("third")
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("dialog .problem[role=alert]")).to_be_visible()
        await page.keyboard.press("Escape")

        # What was changed elsewhere is shown with what can be done now.
        await expect(page.get_by_role("button", name="Enable")).to_be_visible(timeout=15_000)
        assert (await get_source(connection, "lora")).username == "second"
        await registration.remove_source(connection, "lora", builders.now, by=PLATFORM)
        await expect(page.locator("#part .problem[role=status]")).to_contain_text("lora", timeout=15_000)


async def test_a_webhook_says_how_it_goes_by_what_came_last(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    for name, spoken in (("hook", "chirpstack"), ("http", "nabd")):
        await _add(connection, name=name, way=Way.WEBHOOK, format=spoken)
    async with opened(browser, server, "/admin/sources/http") as page:
        part = page.locator("#part")
        await expect(part).to_contain_text("Devices post to this address themselves")
        await expect(part).not_to_contain_text("State")
        await expect(part).not_to_contain_text("Nothing came yet")
        await expect(part).not_to_contain_text("Messages")
        await page.goto(f"{server}/admin/sources/hook")
        tag = part.locator(".tag").first
        await expect(tag).to_have_class(re.compile("is-none"))
        await _says(connection, "hook", Counted(refused=3, refused_at=builders.now()), connected=None)
        await expect(tag).to_have_class(re.compile("is-warning"))
        await _says(connection, "hook", Counted(messages=1, last_message_at=builders.now() + 1))
        await expect(tag).to_have_class(re.compile("is-ok"))
        await connection.execute(
            "UPDATE source_state SET last_message_at = last_message_at - interval '30 days',"
            " refused_at = refused_at - interval '40 days'"
        )
        await expect(tag).to_have_text("Quiet for more than a day")

        await page.goto(f"{server}/admin/sources/http")
        await page.get_by_role("button", name="Edit").click()
        await page.locator("dialog [name=format]").select_option("things_stack")
        await expect(page.locator("dialog")).to_contain_text("A secret is made and shown once")
        await page.locator("dialog [type=submit]").click()
        made = page.locator("dialog .copied").nth(2)
        await expect(made).to_have_value(re.compile("whsec_"))
        assert await made.input_value() == await secret_of(connection, await get_source(connection, "http"))


async def _add_lora(connection: asyncpg.Connection) -> None:
    await builders.add_town(connection)
    pem = new_authority("Lora", datetime.now(UTC)).certificate.decode()
    await _add(
        connection,
        name="lora",
        format="chirpstack",
        url="mqtts://lora.example",
        authority=pem,
        secret="of us",
    )


async def _add(connection: asyncpg.Connection, *, secret: str = "", **said: Any) -> None:
    new = NewSource(municipality="tripoli", **said)
    await registration.add_source(
        connection, builders.KINDS, new, ALL, builders.now, secret=secret, by=PLATFORM
    )


async def _edit(connection: asyncpg.Connection, name: str, **changes: Any) -> None:
    # It has a password there, which is told for the account.
    secret = "of us" if "username" in changes else None
    await registration.edit_source(
        connection, builders.KINDS, name, changes, ALL, builders.now, secret=secret, by=PLATFORM
    )
