"""A database that goes away while a file is written: whoever reads it is told, and never has half a file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import httpx2
import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from store.pool import connect
from tests.integration.api import builders
from tests.integration.api.builders import NOON
from tests.integration.api.exported.test_day_of_the_city import fill

ASKED = {
    "municipality": "tripoli",
    "kind": "bin",
    "start": (NOON - timedelta(days=2)).isoformat(),
    "end": NOON.isoformat(),
}


async def let_in(server: EmbeddedPostgres, database: str, allowed: str) -> None:
    """Say whether anybody may connect to a database; those who are connected are cut off."""
    connection = await connect(server.dsn())
    try:
        await connection.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS {allowed}")
        await connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", database
        )
    finally:
        await connection.close()


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
    server: str, dsn: str, connection: asyncpg.Connection, postgres_server: EmbeddedPostgres
) -> None:
    # More than what sockets hold on the way, so that pages are left to be read.
    await fill(dsn, devices=100, minutes=1500)
    database = await connection.fetchval("SELECT current_database()")

    try:
        async with httpx2.AsyncClient(headers=builders.BEARER, timeout=60) as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await read(
                    client,
                    f"{server}/api/v1/exports/readings",
                    lambda: let_in(postgres_server, database, "false"),
                )
    finally:
        await let_in(postgres_server, database, "true")
