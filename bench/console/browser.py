"""Chromium of this machine, and the server that it asks: `nabd api` as it is, a process of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Error, async_playwright

from bench.throughput.children import ChildFailed, child, last_words

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-renderer-backgrounding",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--mute-audio",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
READY = "html[data-loaded]"
"""What a page says of itself once all that it shows at first is there (console/shell/frame.js)."""
STARTED_S = 60.0


class NoBrowser(ChildFailed):
    """There is no Chromium on this machine."""


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium; nothing is downloaded.

    Raises:
        NoBrowser: there is none.
        ChildFailed: a page did not come to what was waited for.
    """
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        raise NoBrowser("there is no Chromium here: apt-get install chromium")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*QUIET, *sandbox])
        try:
            yield browser
        except Error as error:
            raise ChildFailed(f"the browser: {error}") from error
        finally:
            await browser.close()


@asynccontextmanager
async def serving(dsn: str, log: Path, tiles: Path | None = None) -> AsyncIterator[str]:
    """Run `nabd api` on a free port; the value is its address. tiles: a file of what lies under the map."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"NABD_DATABASE": dsn, "NABD_HTTP_PORT": str(port), "NABD_MAP_TILES": str(tiles or "")}
    async with child((sys.executable, "-m", "nabd", "api"), log, environment) as process:
        async with asyncio.timeout(STARTED_S):
            while not await _answers(port):
                if process.returncode is not None:
                    raise ChildFailed(f"nabd api ended: {last_words(log)}")
                await asyncio.sleep(0.1)
        yield f"http://127.0.0.1:{port}"


async def _answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def sign_in(browser: Browser, address: str) -> list[Any]:
    """Sign in by a link, as the person does who got it; return the cookies of their browser."""
    context = await browser.new_context(locale="en-GB")
    page = await context.new_page()
    await page.goto(address)
    await page.locator("form button").click()
    await page.wait_for_selector(READY)
    cookies = await context.cookies()
    await context.close()
    return [*cookies]
