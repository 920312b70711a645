"""What the account that Grafana has can do to the platform: nothing but read views."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from ingest.commit import shard as shards
from ingest.commit.shard import Shard
from store.pool import connect
from tests.integration.api import builders

pytestmark = pytest.mark.attack("an account of the database")

ACCOUNT = (Path(__file__).parents[2] / "deploy/database/grafana.sql").read_text(encoding="utf-8")


@pytest.fixture
async def grafana(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A connection that has given up its rights for those of Grafana's account."""
    await connection.execute("SELECT set_config('nabd.grafana_password', 'secret', false)")
    await connection.execute(ACCOUNT)
    await connection.execute("SET ROLE nabd_grafana")
    return connection


async def test_every_advisory_lock_there_is_keeps_ingest_from_nothing(
    grafana: asyncpg.Connection, dsn: str
) -> None:
    await grafana.execute("SELECT pg_advisory_lock(hashtextextended('nabd shard main', 0))")
    ingest = await connect(dsn)

    async with asyncio.timeout(20):
        await shards.claim(ingest, Shard(name="main", owner=uuid4()), builders.now, on_standby=lambda: None)
    await ingest.close()


async def test_account_makes_no_temporary_tables(grafana: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await grafana.execute("CREATE TEMPORARY TABLE fill (n int)")


@pytest.mark.parametrize("table", ["nabd_holder", "shard", "alert", "token", "audit"])
async def test_account_that_leaves_read_only_still_writes_nothing(
    grafana: asyncpg.Connection, table: str
) -> None:
    await grafana.execute("SET default_transaction_read_only = off")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await grafana.execute(f"DELETE FROM {table}")
