"""The name of ingest's session at the broker: one for good, and none that another installation has."""

from __future__ import annotations

import asyncpg
import pytest

from ingest.commit.shard import UnknownShard, client_id
from store.migrate import migrate
from store.pool import connect
from store.versions import load
from tests.waiting import now


async def test_session_has_another_name_in_another_installation_and_keeps_it(
    connection: asyncpg.Connection, empty_dsn: str
) -> None:
    other = await connect(empty_dsn)
    try:
        await migrate(other, [], now=now())
        first = await client_id(other, "main")
        await migrate(other, [], now=now())
        again = await client_id(other, "main")
    finally:
        await other.close()

    assert first == again
    assert first != await client_id(connection, "main")
    assert len(first) <= 23  # as much as every broker must take


async def test_session_of_an_ingest_that_worked_before_the_upgrade_keeps_its_name(empty_dsn: str) -> None:
    connection = await connect(empty_dsn)
    try:
        before = [version for version in load() if version.number < 8]
        await migrate(connection, [], now=now(), versions=before)
        await connection.execute("UPDATE shard SET alive_at = $1", await connection.fetchval("SELECT now()"))
        await migrate(connection, [], now=now())

        assert await client_id(connection, "main") == "nabd-ingest-main"
    finally:
        await connection.close()


async def test_shard_that_does_not_exist_has_no_session(connection: asyncpg.Connection) -> None:
    with pytest.raises(UnknownShard, match="nabd shard add nowhere"):
        await client_id(connection, "nowhere")
