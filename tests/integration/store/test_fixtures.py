"""The fixtures of tests/conftest.py give what they promise."""

import asyncio
import socket

import asyncpg

from store.pool import connect, open_pool
from tests.brokers import Broker, Mosquitto


async def test_dsn_names_a_migrated_database(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT edition FROM nabd_schema") == "plain"
    assert await connection.fetchval("SELECT count(*) FROM bin_reading") == 0


async def test_each_test_starts_with_the_rows_of_a_fresh_migrate(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("INSERT INTO municipality (name) VALUES ('tripoli') RETURNING id") == 1


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
