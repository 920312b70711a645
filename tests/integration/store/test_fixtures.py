"""The fixtures of tests/conftest.py give what they promise."""

import socket

import asyncpg

from tests.brokers import Broker, Mosquitto


async def test_dsn_names_a_migrated_database(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SELECT edition FROM nabd_schema") == "plain"
    assert await connection.fetchval("SELECT count(*) FROM bin_reading") == 0


async def test_each_test_starts_with_the_rows_of_a_fresh_migrate(pool: asyncpg.Pool) -> None:
    assert await pool.fetchval("INSERT INTO municipality (name) VALUES ('tripoli') RETURNING id") == 1


def test_broker_listens_on_loopback(broker: Broker) -> None:
    with socket.create_connection((broker.host, broker.port), timeout=5):
        pass


def test_mosquitto_listens_on_the_same_port_after_a_kill(mosquitto: Mosquitto) -> None:
    mosquitto.kill()
    mosquitto.start()

    with socket.create_connection((mosquitto.host, mosquitto.port), timeout=5):
        pass
