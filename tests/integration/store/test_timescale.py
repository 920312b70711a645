"""What only TimescaleDB does: chunks, columnstore, policies; and late readings in compressed chunks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from store.migrate import migrate
from store.policies import keep_policies
from tests.readings_tables import KITES, insert, microseconds

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)

JOBS = """
SELECT proc_name, coalesce(config ->> 'drop_after', config ->> 'compress_after')::interval
FROM timescaledb_information.jobs WHERE hypertable_name = 'kite_reading' ORDER BY proc_name
"""
CHUNKS = "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'kite_reading'"
COMPRESS = "SELECT compress_chunk(c) FROM show_chunks('kite_reading') AS c"


@pytest.fixture
async def kites(timescale: asyncpg.Connection) -> asyncpg.Connection:
    await migrate(timescale, [KITES], now=microseconds(NOON))
    return timescale


async def count(connection: asyncpg.Connection) -> int:
    found: int = await connection.fetchval("SELECT count(*) FROM kite_reading")
    return found


async def test_table_is_a_hypertable_of_days_whose_only_index_is_its_key(kites: asyncpg.Connection) -> None:
    interval = await kites.fetchval(
        "SELECT time_interval FROM timescaledb_information.dimensions WHERE hypertable_name = 'kite_reading'"
    )
    indexes = await kites.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'kite_reading'")

    assert interval == DAY
    assert [row["indexdef"].partition("USING ")[2] for row in indexes] == ["btree (device_id, observed_at)"]


async def test_policies_compress_after_two_weeks_and_drop_after_the_retention_window(
    kites: asyncpg.Connection,
) -> None:
    jobs = [tuple(row) for row in await kites.fetch(JOBS)]

    assert jobs == [("policy_compression", 14 * DAY), ("policy_retention", 90 * DAY)]


async def test_retention_that_was_shortened_or_lengthened_counts_from_the_next_migrate(
    kites: asyncpg.Connection,
) -> None:
    for days in (30, 400):
        changed = replace(KITES, retention=days * DAY)
        await migrate(kites, [changed], now=microseconds(NOON))
        assert [tuple(row) for row in await kites.fetch(JOBS)][1] == ("policy_retention", days * DAY)
        assert await keep_policies(kites, [changed]) == []


async def test_thousand_readings_are_stored_once_through_unnest(kites: asyncpg.Connection) -> None:
    times = [NOON - i * MINUTE for i in range(1000)]

    assert len(await insert(kites, times)) == 1000
    assert await insert(kites, times) == []
    assert await count(kites) == 1000


async def test_late_duplicate_in_a_compressed_chunk_is_recognised(kites: asyncpg.Connection) -> None:
    times = [NOON - 20 * DAY + i * MINUTE for i in range(100)]
    await insert(kites, times)
    await kites.execute(COMPRESS)
    assert {row["is_compressed"] for row in await kites.fetch(CHUNKS)} == {True}

    assert await insert(kites, times[40:60], height_m=9.0) == []

    assert await count(kites) == 100
    assert await kites.fetchval("SELECT max(height_m) FROM kite_reading") == 5.0


async def test_late_reading_finds_room_in_a_compressed_chunk_once(kites: asyncpg.Connection) -> None:
    times = [NOON - 20 * DAY + i * MINUTE for i in range(100)]
    await insert(kites, times)
    await kites.execute(COMPRESS)
    late = times[50] + timedelta(seconds=1)

    assert await insert(kites, [times[50], late]) == [late]
    assert await insert(kites, [late]) == []
    assert await insert(kites, [late], device_id=2) == [late]
    assert await count(kites) == 102

    await kites.execute(COMPRESS)
    assert await insert(kites, [late, times[0]]) == []
    assert await count(kites) == 102


async def test_column_added_beside_compressed_chunks_reads_as_null(kites: asyncpg.Connection) -> None:
    await insert(kites, [NOON - 20 * DAY])
    await kites.execute(COMPRESS)

    await kites.execute("ALTER TABLE kite_reading ADD COLUMN wind_mps double precision")

    row = await kites.fetchrow("SELECT height_m, wind_mps FROM kite_reading")
    assert row is not None
    assert tuple(row) == (5.0, None)


async def test_policies_run_compress_old_chunks_and_drop_older_ones(kites: asyncpg.Connection) -> None:
    # Policies go by the server's clock.
    today = await kites.fetchval("SELECT date_trunc('day', now())")
    ages = [1, 13, 30, 89, 120]
    await insert(kites, [today - age * DAY for age in ages])

    jobs = await kites.fetch(
        "SELECT job_id FROM timescaledb_information.jobs WHERE hypertable_name = 'kite_reading'"
    )
    for job in jobs:
        await kites.execute(f"CALL run_job({job['job_id']})")

    left = await kites.fetch("SELECT observed_at FROM kite_reading ORDER BY observed_at DESC")
    assert [(today - row["observed_at"]).days for row in left] == [1, 13, 30, 89]
    states = await kites.fetch(CHUNKS + " ORDER BY range_start DESC")
    assert [row["is_compressed"] for row in states] == [False, False, True, True]
