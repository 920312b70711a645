"""`nabd bench console`: how quick the console is, in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from asyncpg import PostgresError

from bench.cli.notify import database, databases
from bench.console.pages import PAGES
from bench.throughput.children import ChildFailed
from nabd.cli.output import fail, line, print_json
from store.errors import StoreError

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from bench.console.loading import AlertLatency

FAILURES = (ChildFailed, StoreError, PostgresError, OSError, TimeoutError)
ALERTS = 2000
AIMS = {"first_alert_ms_cold": 2500, "first_alert_ms_warm": 1000, "bytes_before_first_alert": 150_000}
AIM_INPUT_MS = 100.0


def console(
    devices: Annotated[str, typer.Option(help="sizes of the town, by commas")] = "100,10000,100000",
    alerts: Annotated[int, typer.Option(min=1, help="open alerts")] = ALERTS,
    axe: Annotated[bool, typer.Option(help="look at every page with axe-core too")] = True,
) -> None:
    """Measure the console in Chromium; the last line is JSON, the worst size where there is one number.

    Exits with 1 where an aim is missed: the first alert within 2.5 s cold (1.6 Mbit/s, 150 ms) and 1 s warm,
    at most 150 kB before it, 100 ms of the main thread from an input to the next frame, nothing serious
    found by axe-core.
    """
    try:
        sizes = [int(size) for size in devices.split(",")]
    except ValueError:
        fail(f"--devices takes numbers by commas, such as 100,10000; not {devices!r}")
    try:
        found = asyncio.run(_measure(sizes, alerts, axe=axe))
    except FAILURES as error:
        fail(str(error))
    print_json(found)
    missed = [name for name, aim in AIMS.items() if found[name] > aim]
    if missed or found["axe_serious"] or max(found["input_p95_ms"].values()) >= AIM_INPUT_MS:
        raise typer.Exit(1)


@asynccontextmanager
async def opened(devices: int, alerts: int) -> AsyncIterator[tuple[Browser, str, Mapping[str, Any]]]:
    """Fill a town, serve it and sign its people in: the browser, the address, cookies by occupation."""
    from bench.console.browser import chromium, serving, sign_in
    from bench.console.wide_town import build

    async with databases() as (server, directory):
        dsn = await database(server, "town")
        tiles = directory / "town.pmtiles"
        links = await build(dsn, devices, alerts, tiles)
        async with serving(dsn, directory / "api.log", tiles) as url, chromium() as browser:
            yield browser, url, {who: await sign_in(browser, url + link) for who, link in links.items()}


async def _measure(sizes: list[int], alerts: int, *, axe: bool) -> dict[str, Any]:
    from bench.console.accessibility import of_every_page
    from bench.console.inputs import inputs, map_frames, percentile
    from bench.console.loading import first_alert

    first: list[AlertLatency] = []
    input_ms: dict[str, float] = {}
    serious: list[str] = []
    for size in sizes:
        async with opened(size, alerts) as (browser, url, cookies):
            first.append(await first_alert(browser, url, cookies["operator"]))
            context = await browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
            await context.add_cookies(cookies["operator"])
            taken = await inputs(context, url)
            input_ms[str(size)] = round(percentile([one.busy_ms for one in taken]), 1)
            drawn = percentile([one.drawn_ms for one in taken])
            frames = percentile(await map_frames(context, url))
            await context.close()
            line(
                f"{size} devices: first alert {first[-1].cold_ms:.0f} ms cold,"
                f" {first[-1].warm_ms:.0f} ms warm, {first[-1].bytes_before} bytes;"
                f" inputs p95 {input_ms[str(size)]:g} ms of the main thread, drawn after {drawn:.0f} ms;"
                f" map frames p95 {frames:.0f} ms"
            )
            if axe and size == sizes[0]:
                for who, pages in PAGES.items():
                    serious += await of_every_page(browser, url, cookies[who], pages)
                for one in serious:
                    line(one)
    return {
        "first_alert_ms_cold": round(max(one.cold_ms for one in first)),
        "first_alert_ms_warm": round(max(one.warm_ms for one in first)),
        "bytes_before_first_alert": max(one.bytes_before for one in first),
        "axe_serious": len(serious),
        "input_p95_ms": input_ms,
    }
