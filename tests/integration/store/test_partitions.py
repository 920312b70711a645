"""Partitions of the plain edition on a real server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from store.migrate import migrate
from store.partitions import existing, keep_partitions
from store.pool import connect
from store.tables import ColumnType
from tests.readings_tables import KITES, a_table, insert, microseconds

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SHORT = replace(KITES, retention=14 * DAY, reach=14 * DAY)
PARTITION_OF = "SELECT tableoid::regclass::text FROM kite_reading WHERE observed_at = $1"


async def keep(connection: asyncpg.Connection, at: datetime) -> tuple[tuple[str, ...], tuple[str, ...]]:
    kept = await keep_partitions(connection, [SHORT], microseconds(at))
    assert not kept.postponed
    return kept.made, kept.dropped


@pytest.fixture
async def kites(plain: asyncpg.Connection) -> asyncpg.Connection:
    await migrate(plain, [SHORT], now=microseconds(NOON))
    return plain


async def test_every_instant_of_the_retention_window_has_its_partition(kites: asyncpg.Connection) -> None:
    times = [NOON - 14 * DAY, NOON - 7 * DAY, NOON, NOON + 2 * DAY]

    assert await insert(kites, times) == times
    assert await kites.fetchval("SELECT count(*) FROM kite_reading_other") == 0


async def test_turn_makes_next_week_and_drops_the_one_past_retention(kites: asyncpg.Connection) -> None:
    await insert(kites, [NOON - 14 * DAY, NOON])

    made, dropped = await keep(kites, NOON + 7 * DAY)

    assert made == ("kite_reading_20261123",)
    assert dropped == ("kite_reading_20261102",)
    assert await kites.fetchval("SELECT count(*) FROM kite_reading") == 1
    assert await keep(kites, NOON + 7 * DAY) == ((), ())


async def test_reading_without_a_partition_is_stored_once_and_moves_when_its_week_is_made(
    kites: asyncpg.Connection,
) -> None:
    late = NOON + 30 * DAY
    assert await insert(kites, [late]) == [late]
    assert await kites.fetchval(PARTITION_OF, late) == "kite_reading_other"
    assert await insert(kites, [late]) == []

    await keep(kites, late)

    assert await kites.fetchval(PARTITION_OF, late) == "kite_reading_20261214"
    assert await insert(kites, [late]) == []
    assert await kites.fetchval("SELECT count(*) FROM kite_reading") == 1


async def test_week_is_made_beside_a_writer_in_the_middle_of_its_batch(
    kites: asyncpg.Connection, empty_dsn: str
) -> None:
    writer = await connect(empty_dsn)
    async with writer.transaction():
        await insert(writer, [NOON])

        kept = await keep_partitions(kites, [SHORT], microseconds(NOON + 7 * DAY))

    # Dropping waits for writers of any week, and is left to the next turn.
    assert kept.made == ("kite_reading_20261123",)
    assert kept.postponed == ("kite_reading_20261102",)
    assert await keep(kites, NOON + 7 * DAY) == ((), ("kite_reading_20261102",))
    await writer.close()


async def test_column_added_beside_waiting_readings_moves_with_them(plain: asyncpg.Connection) -> None:
    await migrate(plain, [a_table(height_m=ColumnType.NUMBER)], now=microseconds(NOON))
    await insert(plain, [NOON + 30 * DAY], height_m=7.0)
    await migrate(plain, [KITES], now=microseconds(NOON))
    await plain.execute("UPDATE kite_reading SET mode = 'loop'")

    await keep_partitions(plain, [KITES], microseconds(NOON + 30 * DAY))

    row = await plain.fetchrow("SELECT height_m, mode FROM kite_reading_20261214")
    assert row is not None
    assert tuple(row) == (7.0, "loop")


async def test_default_partition_forgets_what_is_past_retention(kites: asyncpg.Connection) -> None:
    await insert(kites, [NOON - 300 * DAY])

    await keep(kites, NOON)

    assert await kites.fetchval("SELECT count(*) FROM kite_reading") == 0
    assert "kite_reading_other" in await existing(kites, "kite_reading")
