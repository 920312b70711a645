"""The fixtures of tests/conftest.py give what they promise."""

import asyncio
import socket

import asyncpg
import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from store.errors import Unavailable
from store.pool import connect, open_pool
from tests.brokers import Broker, Mosquitto
from tests.copies import SHAPE, Copies
from tests.databases import execute


async def test_dsn_names_a_migrated_database(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT edition FROM nabd_schema") == "plain"
    assert await connection.fetchval("SELECT count(*) FROM bin_reading") == 0


async def test_each_test_starts_with_the_rows_of_a_fresh_migrate(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("INSERT INTO municipality (name) VALUES ('tripoli') RETURNING id") == 1


async def test_a_database_given_back_is_as_migrated_under_another_name(
    copies: Copies, postgres_server: EmbeddedPostgres
) -> None:
    name = copies.take()
    straggler = await connect(postgres_server.dsn(name))
    await straggler.execute(
        "INSERT INTO municipality (name) VALUES ('tripoli'); UPDATE shard SET batch = 7;"
        "SELECT nextval('alert_event_id')"
    )

    copies.give_back(name)
    again = copies.take()

    assert again != name
    assert straggler.is_closed() or await _is_cut_off(straggler)
    with pytest.raises(Unavailable, match="does not exist"):
        await connect(postgres_server.dsn(name))
    connection = await connect(postgres_server.dsn(again))
    assert await connection.fetchval("SELECT batch FROM shard") == 0
    assert await connection.fetchval("SELECT nextval('alert_event_id')") == 1
    assert await connection.fetchval("INSERT INTO municipality (name) VALUES ('saida') RETURNING id") == 1
    await connection.close()
    copies.give_back(again)


async def _is_cut_off(connection: asyncpg.Connection) -> bool:
    try:
        await connection.execute("SELECT 1")
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return True
    return False


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE kite (id integer)",
        "ALTER TABLE presence RENAME TO gone",
        "ALTER TABLE bin_reading DROP CONSTRAINT bin_reading_device_id_observed_at_key",
        "ALTER TABLE device ADD COLUMN kite integer",
        "CREATE FUNCTION kite() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "GRANT SELECT ON device TO PUBLIC",
    ],
)
async def test_a_database_with_another_schema_is_not_used_again(
    copies: Copies, postgres_server: EmbeddedPostgres, change: str
) -> None:
    name = copies.take()
    before = await _shape(postgres_server.dsn(name))
    await execute(postgres_server.dsn(name), change)
    assert await _shape(postgres_server.dsn(name)) != before

    copies.give_back(name)
    another = copies.take()

    assert await _shape(postgres_server.dsn(another)) == before
    copies.give_back(another)


async def _shape(dsn: str) -> str:
    connection = await connect(dsn)
    try:
        found: str = await connection.fetchval(SHAPE)
        return found
    finally:
        await connection.close()


async def test_timescale_dsn_names_a_migrated_database_that_a_pool_of_one_can_use(timescale_dsn: str) -> None:
    pool = await open_pool(timescale_dsn, max_size=1)
    for _ in range(3):
        assert await pool.fetchval("SELECT count(*) FROM bin_reading") == 0
    assert await pool.fetchval("SELECT edition FROM nabd_schema") == "timescale"
    await pool.close()


async def test_session_left_in_the_middle_of_a_transaction_does_not_harm_the_next(timescale_dsn: str) -> None:
    first = await connect(timescale_dsn)
    await first.execute("BEGIN; CREATE TABLE half (id int)")
    first.terminate()
    await asyncio.sleep(0)  # the transport closes at the loop's next turn

    second = await connect(timescale_dsn)
    assert await second.fetchval("SELECT to_regclass('half')") is None
    await second.close()


def test_broker_listens_on_loopback(broker: Broker) -> None:
    with socket.create_connection((broker.host, broker.port), timeout=5):
        pass


def test_mosquitto_listens_on_the_same_port_after_a_kill(mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    mosquitto.start()

    with socket.create_connection((mosquitto.host, mosquitto.port), timeout=5):
        pass
