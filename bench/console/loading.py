"""How soon the first alert's text is there over a slow line, and how many bytes came before it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Browser, Page

from bench.console.browser import READY

BYTES_PER_S = 200_000
"""1.6 Mbit/s"""
LATENCY_MS = 150
KEPT = "navigator.serviceWorker?.controller || performance.now() > 20000"
"""The service worker has what the next visit needs, or there is none."""
FIRST_ALERT = ".alert .summary"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLatency:
    """Until the text of the first alert is there. cold: an empty cache; warm: the page again; bytes: cold."""

    cold_ms: float
    warm_ms: float
    bytes_before: int


async def first_alert(browser: Browser, url: str, cookies: Any) -> AlertLatency:
    """Open the desk over a slow line, twice."""
    context = await browser.new_context(locale="en-GB")
    await context.add_cookies(cookies)
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    await session.send("Network.enable")
    await session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_PER_S,
            "uploadThroughput": BYTES_PER_S,
        },
    )
    received = 0

    def count(event: dict[str, Any]) -> None:
        nonlocal received
        received += int(event["encodedDataLength"])

    session.on("Network.dataReceived", count)
    cold = await _until_alert(page, url)
    before = received
    await page.wait_for_selector(READY, timeout=120_000)
    for _ in range(600):
        if await page.evaluate(KEPT):
            break
        await asyncio.sleep(0.1)
    warm = await _until_alert(page, url)
    await context.close()
    return AlertLatency(cold_ms=cold, warm_ms=warm, bytes_before=before)


async def _until_alert(page: Page, url: str) -> float:
    began = time.perf_counter()
    await page.goto(url, wait_until="commit")
    await page.locator(FIRST_ALERT).first.wait_for(timeout=120_000)
    return (time.perf_counter() - began) * 1000
