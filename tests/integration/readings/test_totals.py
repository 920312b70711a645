"""Sums of the ledger stay exact while they are taken over piece by piece."""

from __future__ import annotations

import asyncio

import asyncpg

from readings import ledger, totals
from readings.ledger import BatchCounts
from store.pool import connect

_ADVANCE = "UPDATE shard SET batch = $1 WHERE name = 'main'"


async def commit(connection: asyncpg.Connection, number: int) -> None:
    """Commit a batch as ingest does: the counter and the ledger in one transaction."""
    counts = BatchCounts(
        shard="main",
        batch=number,
        source="mqtt",
        received_at=1_800_000_000_000_000 + number,
        oldest_observed_at=None,
        messages=7,
        received=10,
        stored=5,
        duplicate=2,
        rejected=3,
        undated=1,
        by_device={("bin-1", "duplicate"): 2, ("bin-1", "bad_value"): 1, ("", f"reason-{number % 2}"): 2},
    )
    async with connection.transaction():
        await connection.execute(_ADVANCE, number)
        await ledger.record(connection, counts)


async def test_totals_are_those_of_the_ledger_before_and_after_adding_up(
    connection: asyncpg.Connection,
) -> None:
    for number in range(1, 8):
        await commit(connection, number)
    (before,) = await totals.by_shard(connection)

    added = await totals.add_up(connection, piece=3)

    (after,) = await totals.by_shard(connection)
    assert added == 7
    assert after == before
    assert (after.messages, after.stored, after.duplicate, after.undated) == (49, 35, 14, 7)
    assert after.reasons == {"bad_value": 7, "reason-0": 6, "reason-1": 8}
    exact = await ledger.total(connection)
    assert (exact.stored, exact.duplicate, exact.reasons) == (after.stored, after.duplicate, after.reasons)


async def test_totals_include_what_was_committed_since_they_were_added_up(
    connection: asyncpg.Connection,
) -> None:
    await commit(connection, 1)
    await totals.add_up(connection)
    await commit(connection, 2)

    (found,) = await totals.by_shard(connection)

    assert (found.stored, found.reasons) == (10, {"bad_value": 2, "reason-0": 2, "reason-1": 2})
    assert await totals.add_up(connection) == 1
    assert await totals.add_up(connection) == 0


async def test_totals_read_only_the_newest_batches_once_added_up(connection: asyncpg.Connection) -> None:
    for number in range(1, 4):
        await commit(connection, number)
    await totals.add_up(connection)
    await connection.execute("DELETE FROM ledger_device")
    await connection.execute("DELETE FROM ledger")

    (found,) = await totals.by_shard(connection)

    assert (found.messages, found.stored) == (21, 15)


async def test_totals_count_nothing_twice_when_several_add_up_at_once(
    connection: asyncpg.Connection, dsn: str
) -> None:
    for number in range(1, 30):
        await commit(connection, number)
    others = [await connect(dsn) for _ in range(4)]
    try:
        await asyncio.gather(*(totals.add_up(other, piece=2) for other in others))
    finally:
        await asyncio.gather(*(other.close() for other in others))
    await totals.add_up(connection)

    (found,) = await totals.by_shard(connection)

    assert (found.messages, found.stored) == (7 * 29, 5 * 29)
    assert await connection.fetchval("SELECT batch FROM ledger_total") == 29
