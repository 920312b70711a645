"""Commands, configurations and rollouts on the screen: given, followed as they change, approved by two."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import UUID

import asyncpg
from playwright.async_api import Browser, Page, ViewportSize, expect

from devices.commands.answered import record_response
from devices.commands.configured import record_reports
from devices.commands.details import NO_UPLINK, SENT
from devices.registry.registry import Device
from devices.sources.registration import add_source
from devices.sources.source import NewSource
from devices.sources.translation import ALL
from devices.wire.channels import Report
from people import links
from people.editing import NewPerson, add_person
from people.identity import of_texts
from people.roles import Role
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.console.pages import opened, sign_in_by_link, signed_in

SHOTS = os.environ.get("NABD_TEST_SHOTS")
PHONE: ViewportSize = {"width": 390, "height": 844}


async def shot(page: Page, name: str) -> None:
    """Keep a picture, where somebody wants to look at it."""
    if SHOTS:
        await page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def lamp(connection: asyncpg.Connection, name: str = "light-1") -> Device:
    device = await builders.add(connection, name, kind="light", title="Azmi 1", lat=34.435, lon=35.84)
    await builders.report(connection, device, power_w=40.0)
    return device


async def link(connection: asyncpg.Connection, name: str) -> str:
    """Return the secret of a link by which a new administrator signs in."""
    new = NewPerson(name=name, grants=sorted(of_texts(["admin"]), key=str))
    person = await add_person(connection, new, builders.now(), by=PLATFORM)
    return await links.create_link(connection, person.id, builders.now(), by=PLATFORM)


async def test_command_is_given_and_followed_without_a_reload(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await lamp(connection)
    async with opened(browser, server, "/devices/light-1") as page:
        card = page.locator(".commands")
        await card.get_by_role("button", name="Give a command").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Command").select_option("set_dimming")
        await dialog.get_by_role("textbox", name="Dimming").fill("101")
        await dialog.get_by_role("button", name="Send").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("101 is not a number from 0 to 100")
        await dialog.get_by_role("textbox", name="Dimming").fill("60")
        await shot(page, "command-dialog")
        await dialog.get_by_role("button", name="Send").click()
        await expect(card).to_contain_text("Waits for the device")

        command: UUID = await connection.fetchval("SELECT id FROM command")
        await record_response(connection, "light-1", command, "failed", builders.now, detail="driver stuck")
        await expect(card).to_contain_text("Failed")
        await expect(card).to_contain_text("driver stuck")


async def test_what_a_network_server_says_of_a_command_is_told_in_every_language(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await lamp(connection)
    async with opened(browser, server, "/devices/light-1") as page:
        card = page.locator(".commands")
        await card.get_by_role("button", name="Give a command").click()
        await page.get_by_role("dialog").get_by_role("button", name="Send").click()
        await page.get_by_role("dialog").get_by_role("button", name="Send").click()
        await expect(card).to_contain_text("Waits for the device")
        await connection.execute("UPDATE command SET status = 'delivered', payload = '', detail = $1", SENT)
        await page.reload()

        for code, words in (
            ("en", "a gateway sent it"),
            ("fr", "une passerelle l’a émise"),
            ("ar", "أرسلته بوابة"),
        ):
            await page.locator(f"#languages [lang={code}]").click()
            await expect(card).to_contain_text(words)

        # Its source is gone; then its time is over.
        await connection.execute("UPDATE command SET source_id = 0, detail = NULL")
        await page.reload()
        for code, words in (
            ("en", "The source that handed it over was removed"),
            ("fr", "La source qui l’a transmise a été supprimée"),
            ("ar", "حُذف المصدر الذي سلّمه"),
        ):
            await page.locator(f"#languages [lang={code}]").click()
            await expect(card).to_contain_text(words)
        await connection.execute(
            "UPDATE command SET status = 'expired', detail = $1", f"{NO_UPLINK}2026-03-01T12:00:07Z"
        )
        await page.reload()
        for code, words, seconds in (
            ("en", "no uplink since", ":07"),
            ("fr", "aucun message montant depuis le", ":07"),
            ("ar", "لا رسالة من الجهاز منذ", ":٠٧"),
        ):
            await page.locator(f"#languages [lang={code}]").click()
            await expect(card).to_contain_text(words)
            await expect(card).to_contain_text(seconds)


async def test_readers_are_told_that_a_source_is_away_and_not_which(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await lamp(connection)
    new = NewSource(name="lora", municipality="tripoli", format="chirpstack", url="mqtts://lora.example")
    source = await add_source(connection, builders.KINDS, new, ALL, builders.now, by=PLATFORM)
    await builders.command(connection, device)
    await connection.execute(
        "UPDATE command SET status = 'delivered', payload = '', source_id = $1", source.id
    )
    token = await builders.token(connection, "vera", role=Role.VIEWER)

    async with signed_in(browser, server, token) as page:
        await page.goto(f"{server}/devices/light-1")
        card = page.locator(".commands")
        for code, words in (
            ("en", "The source that hands it over is away."),
            ("fr", "La source qui la transmet est injoignable."),
            ("ar", "المصدر الذي يسلّمه غير متصل."),
        ):
            await page.locator(f"#languages [lang={code}]").click()
            await expect(card).to_contain_text(words)
        await expect(card).not_to_contain_text("lora")
    async with opened(browser, server, "/devices/light-1") as page:
        await expect(page.locator(".commands")).to_contain_text("Source lora is away")


async def test_configuration_is_wanted_and_its_drift_is_shown(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await lamp(connection)
    async with opened(browser, server, "/devices/light-1") as page:
        card = page.locator(".commands")
        await card.get_by_role("button", name="Change settings").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Dimming late at night").fill("30")
        await dialog.get_by_role("button", name="Save").click()
        await expect(card).to_contain_text("Not learned yet")
        said = Report(
            config={"night_pct": 40}, refused={"night_pct": "no dimmer"}, version=1, firmware="2.4.1"
        )
        await record_reports(connection, {device.id: said}, builders.now)
        await page.reload()
        await expect(card).to_contain_text("Refused by the device")
        await expect(card).to_contain_text("no dimmer")
        await shot(page, "device-en")

        for code, words in (("fr", "Refusé par l’appareil"), ("ar", "رفضه الجهاز")):
            await page.locator(f"#languages [lang={code}]").click()
            await expect(card).to_contain_text(words)
            await shot(page, f"device-{code}")
        await page.goto(f"{server}/admin/commands")
        await expect(page.locator("#part")).to_contain_text("light-1")


async def test_two_administrators_give_a_command_to_many(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for number in (1, 2, 3):
        await lamp(connection, f"light-{number}")
    first, second = await link(connection, "rima"), await link(connection, "samir")
    for who in (first, second):
        context = await browser.new_context(locale="en-GB", service_workers="block")
        page = await context.new_page()
        await sign_in_by_link(page, f"{server}/signin?link={who}")
        await page.goto(f"{server}/admin/commands")
        if who is first:
            await page.get_by_role("button", name="Ask for a command").click()
            dialog = page.get_by_role("dialog")
            await dialog.get_by_label("Kind").select_option("light")
            await dialog.get_by_label("Command").select_option("set_dimming")
            await dialog.get_by_role("textbox", name="Dimming").fill("40")
            await dialog.get_by_label("Reason").fill("power shortage")
            await dialog.get_by_role("button", name="Ask").click()
            await expect(page.locator("#part")).to_contain_text("Another administrator approves")
            await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
        else:
            await shot(page, "requests-en")
            await page.get_by_role("button", name="Approve").click()
            await expect(page.locator("#part")).to_contain_text("Waits for the device: 3")
        await context.close()


async def test_rollout_is_started_followed_and_paused_in_three_languages(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for number in range(1, 6):
        await lamp(connection, f"light-{number}")
        await builders.give_passwords(connection, f"light-{number}")
    await builders.image(connection, "light", "2.5.0")
    async with opened(browser, server, "/admin/firmware") as page:
        await page.get_by_role("button", name="Start a rollout").click()
        dialog = page.get_by_role("dialog")
        await dialog.get_by_label("Stages").fill("10, 5")
        await dialog.get_by_role("button", name="Start a rollout").click()
        await expect(dialog.get_by_role("alert")).to_contain_text("grow to 100")
        await dialog.get_by_label("Stages").fill("20, 100")
        await shot(page, "rollout-dialog")
        await dialog.get_by_role("button", name="Start a rollout").click()
        await page.get_by_role("link", name="2.5.0").click()
        await expect(page.locator("#part")).to_contain_text("Waits its turn: 5")
        await connection.execute(
            "UPDATE rollout_device SET state = 'updated', changed_at = changed_at WHERE position = 0"
        )
        await expect(page.locator("#part")).to_contain_text("Updated: 1")
        await page.get_by_role("button", name="Pause").click()
        await expect(page.locator("#part")).to_contain_text("Paused")
        for code, words in (("fr", "Suspendu"), ("ar", "موقوف مؤقتًا"), ("en", "Paused")):
            await page.locator(f"#languages [lang={code}]").click()
            await expect(page.locator("#part")).to_contain_text(words)
            await shot(page, f"rollout-{code}")
        await page.set_viewport_size(PHONE)
        await shot(page, "rollout-phone")
        await page.goto(f"{server}/admin/firmware")
        await expect(page.locator("#part")).to_contain_text("2.5.0")
        await shot(page, "rollouts-phone")
