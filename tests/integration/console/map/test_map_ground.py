"""What lies under the map, in a real browser: a file of the platform's own, and a server elsewhere."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import numpy as np
from fastapi import FastAPI
from PIL import Image
from playwright.async_api import Browser, Page, expect

from api.app import create_app
from api.tiles.source import TileSource, source_of
from nabd.demo.tiles.drawing import write_tiles
from tests.integration.api import builders
from tests.integration.console.pages import opened
from tests.serving import serving
from tests.unit.firmware_sim.build import small_town

WAIT_S = 20.0
DESK = {"width": 1280, "height": 800}
Colour = tuple[int, int, int]


def app_with(pool: asyncpg.Pool, tiles: TileSource | None) -> FastAPI:
    return create_app(pool=pool, kinds=builders.KINDS, now=builders.now, beyond_loopback=False, tiles=tiles)


async def standing(connection: asyncpg.Connection) -> None:
    for i, (lat, lon) in enumerate(((34.447, 35.838), (34.430, 35.858))):
        device = await builders.add(connection, f"bin-{i}", lat=lat, lon=lon)
        await builders.report(connection, device, fill_pct=50.0)


async def until_seen(page: Page, meant: Callable[[Colour], bool]) -> None:
    """Wait until a fiftieth of the map has a colour."""
    await expect(page.locator(".mark").first).to_be_visible()
    async with asyncio.timeout(WAIT_S):
        while True:
            with Image.open(io.BytesIO(await page.locator("#map").screenshot())) as shot:
                drawn = np.asarray(shot.convert("RGB")).reshape(-1, 3)
                colours, counts = np.unique(drawn, axis=0, return_counts=True)
                like = [
                    n
                    for (red, green, blue), n in zip(colours, counts, strict=True)
                    if meant((red, green, blue))
                ]
                if sum(like) * 50 > len(drawn):
                    return


def is_sea(colour: Colour) -> bool:
    return max(abs(int(a) - b) for a, b in zip(colour, (188, 219, 232), strict=True)) < 6


async def test_town_of_the_platforms_own_file_lies_by_the_sea(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await builders.let_in(pool)
    await standing(connection)
    file = tmp_path / "town.pmtiles"
    write_tiles(small_town(municipality="tripoli", bins=3, lights=8, drones=1), file)

    async with (
        serving(app_with(pool, TileSource(file=file))) as url,
        opened(browser, url, viewport=DESK, color_scheme="light") as page,
    ):
        await until_seen(page, is_sea)


@asynccontextmanager
async def tile_server(asked: list[str]) -> AsyncIterator[str]:
    """A server of images, each of one colour, as one that stands elsewhere; the value is its address."""
    image = io.BytesIO()
    Image.new("RGB", (256, 256), (230, 0, 230)).save(image, "PNG")
    head = f"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {image.tell()}\r\n"
    head += "Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n"

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        asked.append(request.split(b" ")[1].decode())
        writer.write(head.encode() + image.getvalue())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_tiles_of_another_server_are_drawn_and_named_and_nothing_else_may_be_asked_there(
    browser: Browser, pool: asyncpg.Pool, connection: asyncpg.Connection
) -> None:
    await builders.let_in(pool)
    await standing(connection)
    asked: list[str] = []

    async with tile_server(asked) as elsewhere:
        source = source_of(f"{elsewhere}/city/{{z}}/{{x}}/{{y}}.png", "© Streets <b>& Co</b>")
        async with (
            serving(app_with(pool, source)) as url,
            opened(browser, url, viewport=DESK, elsewhere=elsewhere) as page,
        ):
            await until_seen(page, lambda colour: colour[0] > 150 and colour[1] < 90 and colour[2] > 150)
            await expect(page.locator("#map .maplibregl-ctrl-attrib")).to_contain_text(
                "© Streets <b>& Co</b>"
            )
            answer = await page.request.get(url)
            assert f"connect-src 'self' {elsewhere};" in answer.headers["content-security-policy"]
    assert all(path.startswith("/city/") for path in asked)
