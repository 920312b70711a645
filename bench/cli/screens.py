"""`nabd bench screens`: how every page of the console looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import api
from bench.cli.console import FAILURES
from bench.cli.notify import database, databases
from bench.console.pages import PAGES
from nabd.cli.output import fail, line, print_json

if TYPE_CHECKING:
    from playwright.async_api import Browser

ALERTS = 30
GUIDE_PICTURES = Path(api.__file__).parent / "console/guide/pictures"
DAYS = 8.0
"""A week beside the one before needs more than seven."""


def screens(
    directory: Annotated[Path, typer.Option(help="where the pictures go")] = Path("screenshots"),
    only: Annotated[str, typer.Option(help="only these pages, by commas: desk,alert,device,…")] = "",
    days: Annotated[float, typer.Option(min=0, help="of the past that the town has")] = DAYS,
    guides: Annotated[bool, typer.Option("--guides", help="only the pictures that the guides show")] = False,
    axe: Annotated[
        bool, typer.Option("--axe", help="no pictures: what axe-core finds; the last line is JSON")
    ] = False,
) -> None:
    """Take a picture of every page in every language, theme and width, with contact sheets.

    --guides puts those of the guides, small, into api/console/guide/pictures of this checkout instead. --axe
    looks at the same pages with axe-core, names what is serious, and exits with 1 where anything is.
    """
    named = {name for pages in PAGES.values() for name in pages}
    wanted = {name for name in only.split(",") if name} or named
    if unknown := wanted - named:
        fail(f"no page is called {', '.join(sorted(unknown))}; there are {', '.join(sorted(named))}")
    if axe:
        _look(wanted, days)
        return
    directory = GUIDE_PICTURES if guides else directory
    directory.mkdir(parents=True, exist_ok=True)
    try:
        taken = asyncio.run(_screens(directory, wanted, days, guides=guides))
    except FAILURES as error:
        fail(str(error))
    line(f"{len(taken)} pictures in {directory}")


def _look(wanted: set[str], days: float) -> None:
    try:
        serious = asyncio.run(_serious(wanted, days))
    except FAILURES as error:
        fail(str(error))
    for one in serious:
        line(one)
    print_json({"pages": len(wanted), "axe_serious": len(serious)})
    if serious:
        raise typer.Exit(1)


async def _serious(wanted: set[str], days: float) -> list[str]:
    from bench.console.accessibility import of_every_page

    found: list[str] = []
    async with lived(days) as (browser, url, cookies):
        for who, pages in PAGES.items():
            chosen = {name: path for name, path in pages.items() if name in wanted}
            found += await of_every_page(browser, url, cookies[who], chosen)
    return found


async def _screens(directory: Path, wanted: set[str], days: float, *, guides: bool) -> list[Path]:
    from bench.console.screens import guide_pictures, pictures, sheets

    take = guide_pictures if guides else pictures
    taken: list[Path] = []
    async with lived(days) as (browser, url, cookies):
        for who, pages in PAGES.items():
            chosen = {name: path for name, path in pages.items() if name in wanted}
            taken += await take(browser, url, cookies[who], chosen, directory)
    if not guides:
        sheets(taken, directory)
    return taken


@asynccontextmanager
async def lived(days: float) -> AsyncIterator[tuple[Browser, str, Mapping[str, Any]]]:
    """Serve a town with a life and sign its people in: the browser, the address, cookies by occupation."""
    from bench.console.browser import chromium, serving, sign_in
    from bench.console.lived_town import build_lived

    async with databases() as (server, directory):
        dsn = await database(server, "town")
        links = await build_lived(dsn, directory, alerts=ALERTS, days=days)
        tiles = directory / "town.pmtiles"
        async with serving(dsn, directory / "api.log", tiles) as url, chromium() as browser:
            yield browser, url, {who: await sign_in(browser, url + link) for who, link in links.items()}
