"""A real browser in front of a real server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import Browser, async_playwright

from tests.integration.api.conftest import app, kept, own_pool, server
from tests.parts import chromium

__all__ = ["app", "kept", "own_pool", "server"]

STARTED_S = 60.0
QUIET = [
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-port=0",
]


@pytest.fixture(scope="session")
def browser_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Chromium of this machine, started once: each test has contexts of its own. Nothing is downloaded."""
    profile = tmp_path_factory.mktemp("chromium")
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else QUIET
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(
            [chromium(), *arguments, f"--user-data-dir={profile}", "about:blank"], stdout=log, stderr=log
        )
    try:
        said, deadline = profile / "DevToolsActivePort", time.monotonic() + STARTED_S
        while not (said.exists() and said.read_text().count("\n")):
            assert process.poll() is None, (profile / "log").read_text()
            assert time.monotonic() < deadline, f"chromium names no port within {STARTED_S:g} s"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{said.read_text().split()[0]}"
    finally:
        process.terminate()
        process.wait(timeout=STARTED_S)


@pytest.fixture
async def browser(browser_address: str) -> AsyncIterator[Browser]:
    """The browser, over a connection of the test's own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(browser_address)
        async with asyncio.timeout(100):
            yield browser
        await browser.close()
