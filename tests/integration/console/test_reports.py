"""A supervisor's week: figures, late work, the printed report, files."""

from __future__ import annotations

import asyncpg
from playwright.async_api import Browser, expect

from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.console.pages import opened
from work import orders
from work.change import WorkStep
from work.orders import NewOrder

_LATE = "UPDATE work_order SET response_due_at = $1::timestamptz - '5 hours'::interval"


async def test_supervisor_looks_at_the_figures_at_late_work_and_prints_the_week(
    browser: Browser, server: str, connection: asyncpg.Connection
) -> None:
    device = await builders.add(connection, "bin-1", title="By the <i>gate</i>")
    await builders.fire(connection, device)
    new = NewOrder(device="bin-1", alerts=(), title="Wash it & dry it")
    made = await orders.make(connection, new, WorkStep(by=PLATFORM, now=builders.now() - 3600 * 1_000_000))
    await connection.execute(_LATE, NOON)

    async with opened(browser, server, "/reports") as page:
        report = page.locator("#report")
        await expect(report.locator(".tile").nth(0)).to_contain_text("Orders made1")
        await expect(report.locator(".tile").nth(1)).to_contain_text("late 1")
        await expect(report.locator(".plot").first).to_be_visible()
        await page.get_by_role("button", name="By kind of device").click()
        await expect(report.locator("tbody")).to_contain_text("Smart bin")
        assert "by=kind" in page.url

        await page.get_by_role("link", name="Late work").click()
        row = report.locator("tbody tr")
        await expect(row).to_contain_text("5 hours")
        await expect(row).to_contain_text("Wash it & dry it")
        await expect(row.locator("a").first).to_have_attribute("href", f"/work/{made.id}")

        await page.get_by_role("link", name="Weekly report").click()
        async with page.expect_popup() as opening:
            await report.locator("li", has_text="العربية").get_by_role("link").click()
        paper = await opening.value
        await expect(paper.locator("html")).to_have_attribute("dir", "rtl")

        await page.get_by_role("link", name="Files").click()
        async with page.expect_download() as saving:
            await report.locator("li", has_text="Alerts").get_by_role("link", name="CSV").click()
        file = await (await saving.value).path()
        assert file.read_bytes().startswith(b"\xef\xbb\xbfid,device,")
        async with page.expect_download() as saving:
            readings = report.locator("li", has_text="Readings: Smart bin")
            await readings.get_by_role("link", name="Parquet").click()
        file = await (await saving.value).path()
        assert file.read_bytes().startswith(b"PAR1")

    async with opened(browser, server, "/reports?part=late", locale="ar-LB") as page:
        await expect(page.locator("#report tbody tr")).to_contain_text("٥ ساعات")
        await page.reload()
        await expect(page.locator("#parts a[aria-current]")).to_have_text("الأعمال المتأخرة")
