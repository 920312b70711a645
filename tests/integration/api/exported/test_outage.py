"""A database that goes away while a file is written: whoever reads it is told, and never has half a file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx2
import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.exported.test_day_of_the_city import fill

ASKED = {
    "municipality": "tripoli",
    "kind": "bin",
    "start": (NOON - timedelta(days=2)).isoformat(),
    "end": NOON.isoformat(),
}


async def read(client: httpx2.AsyncClient, url: str, meanwhile: Callable[[], Awaitable[None]]) -> None:
    """Read a file to its end; `meanwhile` is awaited once it has begun."""
    begun = False
    async with client.stream("GET", url, params=ASKED) as answer:
        assert answer.status_code == 200
        async for _ in answer.aiter_bytes():
            if not begun:
                begun = True
                await meanwhile()


async def test_file_that_the_database_leaves_halfway_ends_as_an_error_and_not_as_a_file(
    server: str, dsn: str, postgres_server: EmbeddedPostgres
) -> None:
    # More than what sockets hold on the way, so that pages are left to be read.
    await fill(dsn, devices=100, minutes=1500)
    url = f"{server}/api/v1/exports/readings"

    try:
        async with httpx2.AsyncClient(headers=builders.BEARER, timeout=60) as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await read(client, url, lambda: asyncio.to_thread(postgres_server.stop_server))
            at_once = await client.get(url, params=ASKED)
    finally:
        await asyncio.to_thread(postgres_server.start)

    assert at_once.status_code == 503
    assert at_once.json()["type"] == "urn:nabd:problem:unavailable"
