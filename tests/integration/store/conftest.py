"""Fixtures of the store's tests: the same database in each edition."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.pool import connect


@pytest.fixture(params=["plain", "timescale"])
def empty_dsn_of_each_edition(request: pytest.FixtureRequest) -> str:
    """Address of a database that was never migrated, once for each edition."""
    name = {"plain": "empty_dsn", "timescale": "empty_timescale_dsn"}[request.param]
    dsn: str = request.getfixturevalue(name)
    return dsn


@pytest.fixture
async def empty(empty_dsn_of_each_edition: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database that was never migrated, once for each edition."""
    connection = await connect(empty_dsn_of_each_edition, statement_timeout_s=0)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def plain(empty_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database of the plain edition that was never migrated."""
    connection = await connect(empty_dsn, statement_timeout_s=0)
    yield connection
    await connection.close(timeout=5)


@pytest.fixture
async def timescale(empty_timescale_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database of the timescale edition that was never migrated."""
    connection = await connect(empty_timescale_dsn, statement_timeout_s=0)
    yield connection
    await connection.close(timeout=5)
