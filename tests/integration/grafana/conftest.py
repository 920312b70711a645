"""The same town in each edition, and what a reader of it may do."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from store.pool import connect
from tests.integration.grafana import town


@pytest.fixture(params=["plain", "timescale"])
async def platform(request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    """The owner's connection to the town, once for each edition."""
    name = "dsn" if request.param == "plain" else "timescale_dsn"
    connection = await connect(request.getfixturevalue(name), statement_timeout_s=0)
    await town.build(connection)
    yield connection
    await connection.execute("RESET ROLE")
    await connection.close(timeout=5)
