"""An administrator gives a device a password, sees it once, takes it back; and many at once, as a file."""

from __future__ import annotations

from urllib.parse import unquote

import asyncpg
from playwright.async_api import Browser, expect

from devices.credentials import scheme
from tests.integration.api import builders
from tests.integration.console.pages import opened


async def test_administrator_gives_and_takes_back_what_devices_sign_in_with(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    for name in ("bin-0001", "bin-0002", "urn:bin:3"):
        await builders.add(connection, name, lat=34.43, lon=35.84, title="Souk <b>1</b>")
    async with opened(browser, server, "/admin/devices/bin-0001") as page:
        await expect(page.locator("#part")).to_contain_text("None yet: the device cannot sign in.")
        await page.get_by_role("button", name="Make a password").click()
        await page.locator("dialog [type=submit]").click()
        shown = page.locator("dialog .copied").nth(1)
        password = await shown.input_value()
        kept = await connection.fetchval("SELECT password_hash FROM device_credential")
        assert scheme.verify(password, kept)
        await page.keyboard.press("Escape")
        await expect(page.locator("#part")).to_contain_text("works")
        await expect(page.locator("dialog")).to_have_count(0)
        assert password not in await page.content()

        await page.get_by_role("button", name="New password").click()
        await page.locator("dialog [name=overlap]").select_option("168")
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("dialog .copied")).to_have_count(2)
        await page.keyboard.press("Escape")
        await expect(page.locator("#part")).to_contain_text("works until then")
        await page.get_by_role("button", name="العربية").click()
        await expect(page.locator("#part")).to_contain_text("بيانات الدخول")
        await page.get_by_role("button", name="إلغاء الكل").click()
        await page.locator("dialog [type=submit]").click()
        await expect(page.locator("#part .tag.is-critical")).to_have_count(2)
        await page.get_by_role("button", name="Français").click()
        await expect(page.locator("html")).to_have_attribute("lang", "fr")
        await page.goto(f"{server}/admin/devices/urn%3Abin%3A3")
        await expect(page.locator("#part")).to_contain_text("--certificate")
        await expect(page.get_by_role("button", name="Créer un mot de passe")).to_have_count(0)

        await page.goto(f"{server}/admin/devices")
        await page.get_by_role("button", name="Mots de passe des nouveaux appareils").click()
        await page.locator("dialog [name=town]").select_option("tripoli")
        await page.locator("dialog [type=submit]").click()
        link = page.locator("dialog a[download]")
        await expect(link).to_have_attribute("download", "credentials-tripoli.csv")
        lines = unquote(str(await link.get_attribute("href"))).partition(",")[2].splitlines()
        await expect(page.locator("dialog")).to_contain_text("1 appareil n’en a pas encore")
    assert lines[0] == "device,username,password"
    assert [line.split(",")[0] for line in lines[1:]] == ["bin-0001", "bin-0002"]
