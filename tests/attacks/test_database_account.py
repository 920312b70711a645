"""What the account that Grafana has can do to the platform: nothing but read views."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest

from api.live.listener import LiveEvents
from api.live.subscription import EventFilter
from api.metrics.process import Metrics
from store.pool import connect
from tests.integration.api import builders
from tests.waiting import eventually

pytestmark = pytest.mark.attack("an account of the database")

ACCOUNT = (Path(__file__).parents[2] / "deploy/database/grafana.sql").read_text(encoding="utf-8")


@pytest.fixture
async def grafana(connection: asyncpg.Connection) -> asyncpg.Connection:
    """A connection that has given up its rights for those of Grafana's account."""
    await connection.execute("SELECT set_config('nabd.grafana_password', 'secret', false)")
    await connection.execute(ACCOUNT)
    await connection.execute("SET ROLE nabd_local_grafana")
    return connection


@pytest.mark.parametrize(
    "call",
    [
        "pg_advisory_lock(1)",
        "pg_try_advisory_lock(hashtextextended('nabd shard main', 0))",
        "pg_advisory_xact_lock_shared(1, 2)",
        "lo_create(0)",
        "lo_from_bytea(0, 'fill')",
    ],
)
async def test_account_takes_no_advisory_locks_and_stores_no_large_objects(
    grafana: asyncpg.Connection, call: str
) -> None:
    await grafana.execute("SET default_transaction_read_only = off")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await grafana.execute(f"SELECT {call}")


async def test_owner_that_is_no_superuser_and_pools_of_the_account_go_on(
    connection: asyncpg.Connection, grafana: asyncpg.Connection
) -> None:
    """Rounds of work take an advisory lock, as the owner; a pool lets go of all at each return."""
    await grafana.execute("SELECT pg_advisory_unlock_all()")
    await connection.execute("RESET ROLE")
    await connection.execute("CREATE ROLE nabd_owner_test")
    try:
        await connection.execute("ALTER TABLE municipality OWNER TO nabd_owner_test")
        await connection.execute("SELECT refuse_to_readers()")
        await connection.execute("SET ROLE nabd_owner_test")

        assert await connection.fetchval("SELECT pg_try_advisory_lock(1) AND pg_advisory_unlock(1)")
    finally:
        await connection.execute("RESET ROLE")
        await connection.execute(
            "ALTER TABLE municipality OWNER TO CURRENT_USER; DROP OWNED BY nabd_owner_test;"
            " DROP ROLE nabd_owner_test"
        )


async def test_notifications_by_the_account_wake_the_live_stream_and_tell_it_nothing(
    grafana: asyncpg.Connection, pool: asyncpg.Pool, dsn: str
) -> None:
    owner = await connect(dsn)
    live = LiveEvents(pool, builders.KINDS, Metrics(), builders.now)
    await builders.add_town(owner)
    device = await builders.add(owner, "bin-1")
    with live.subscribe(EventFilter()) as subscription:
        async with live.running():
            await eventually(lambda: asyncio.sleep(0, live.outage is None))
            for junk in ("", "{", "9" * 7000, "DROP TABLE alert"):
                for channel in ("nabd_alert", "nabd_latest", "nabd_anything"):
                    await grafana.execute("SELECT pg_notify($1, $2)", channel, junk)
            await builders.fire(owner, device)
            async with asyncio.timeout(20):
                found = await subscription.wait()

    await owner.close()
    assert [one.alert.device for one in found.alerts] == ["bin-1"]
    assert live.outage is None


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
