"""A device is added and says its first word; a stranger takes the place of one that is silent."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from playwright.async_api import Browser, expect

from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened

_LATEST = """
INSERT INTO latest (device_id, observed_at, received_at, interval_s, quality, measurements)
SELECT id, $2, $2, 600, 0, '{"fill_pct": 50}' FROM device WHERE name = $1
"""
_FAR = NOON + timedelta(days=9_000)
"""Later than the browser's clock."""


async def test_a_device_that_is_added_is_told_how_to_speak_and_heard(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add_town(connection)
    async with opened(browser, server, "/admin/devices") as page:
        await page.get_by_role("button", name="Add a device").click()
        await page.locator("dialog [name=name]").fill("bin-0042")
        await page.locator("dialog [name=kind]").select_option("bin")
        await page.locator("dialog [name=town]").select_option("tripoli")
        await page.locator("dialog [type=submit]").click()

        await expect(page.locator("dialog .copied").first).to_have_value("bin-0042")
        await expect(page.locator("dialog svg.qr path")).to_have_count(1)
        lines = page.locator("dialog details")
        await expect(lines).to_have_count(4)
        await lines.first.locator("summary").click()
        await expect(lines.first.locator("pre")).to_contain_text("nabd/v1/tripoli/bin/bin-0042/telemetry")
        await expect(page.locator("dialog .heard")).to_contain_text("Waiting for its first message")
        await connection.execute(_LATEST, "bin-0042", _FAR)
        await expect(page.locator("dialog .heard")).to_contain_text("fill_pct = 50")


async def test_a_stranger_takes_the_place_of_a_silent_device_in_one_step(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    await builders.add(connection, "bin-0001", lat=34.43, lon=35.84, title="Souk <b>1</b>")
    await connection.execute(_LATEST, "bin-0001", NOON - timedelta(hours=5))
    await builders.reject(connection, "NEW-7")
    await connection.execute(
        'UPDATE rejection SET payload = \'{"fill_pct": 1, "lat": 34.4301, "lon": 35.84}\''
    )
    async with opened(browser, server, "/admin/quarantine") as page:
        await expect(page.locator("#part tbody tr").first).to_contain_text("11 m away, is silent")
        await expect(page.locator("#part")).not_to_contain_text("false")
        await page.get_by_role("button", name="It stands at").click()
        await expect(page.get_by_role("button", name="It stands at")).to_have_count(0)

    assert await connection.fetchval("SELECT wire_name FROM hardware WHERE removed_at IS NULL") == "NEW-7"
