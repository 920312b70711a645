"""Partitions made and dropped while devices repeat old readings: nothing lost, nothing stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from random import Random

import asyncpg

from devices.instants import to_datetime
from readings.tables import table_of
from store.partitions import WEEK, Partition, PartitionChanges, existing, keep_partitions, statements, wanted
from store.pool import connect
from tests.faults import checker
from tests.faults.plant import Plant, scaled
from tests.faults.publisher import KIND, SECOND, Said, make
from tests.faults.runner import now

TABLE = table_of(KIND)
DAY = 24 * 3600 * SECOND


async def test_upkeep_neither_loses_nor_doubles_late_readings(plant: Plant) -> None:
    connection = await connect(plant.dsn)
    try:
        # As if nobody had kept partitions for months: everything goes to the one for the rest.
        for partition in await existing(connection, TABLE.name):
            if partition != f"{TABLE.name}_other":
                await connection.execute(f"DROP TABLE {partition}")
        plant.run(batch_messages=100)
        await plant.owned()
        readings = old_readings(plant, int(scaled(1500, 20_000)))
        async with plant.fleet() as fleet:
            for n, said in enumerate(readings):
                fleet.push(said, n)
            for speaker in fleet.speakers:
                speaker.pump()
            await checker.at_rest(plant.dsn, len(readings) // 4)
            repeating = asyncio.create_task(_say_again(fleet.speakers[0].queue.append, readings))
            kept = [await _turn(connection, number) for number in range(int(scaled(8, 60)))]
            await repeating
            for speaker in fleet.speakers:
                speaker.pump()
            await fleet.answered()
            await checker.at_rest(plant.dsn)
            found = await plant.proof([fleet])
        left = await connection.fetchval(f"SELECT count(*) FROM {TABLE.name}_other")
    finally:
        await connection.close()
    made = sum(len(k.made) for k in kept)
    dropped, postponed = sum(len(k.dropped) for k in kept), sum(len(k.postponed) for k in kept)
    print(f"{made} partitions made, {dropped} dropped, {postponed} postponed")

    assert made >= len(wanted(TABLE, now()))
    assert dropped
    assert left == 0
    assert found.holds, checker.summary(found)


def old_readings(plant: Plant, number: int) -> list[Said]:
    """Return readings from the last seventy days, in no order."""
    random, newest = Random(plant.seed), now() // SECOND * SECOND
    return [
        make(
            plant.devices[n % len(plant.devices)],
            newest - random.randrange(70 * DAY // SECOND) * SECOND - n * 1000,
            {"fill_pct": round(random.uniform(0, 60), 1), "battery_v": 3.6},
            boot=1,
            seq=n,
        )
        for n in range(number)
    ]


async def _say_again(say: Callable[[Said], None], readings: list[Said]) -> None:
    for said in readings:
        say(said)
        await asyncio.sleep(0.001)


async def _turn(connection: asyncpg.Connection, number: int) -> PartitionChanges:
    """Let a partition be past retention, and keep house."""
    monday = to_datetime(now()) - TABLE.retention - timedelta(days=100) - number * WEEK
    expired = Partition(table=TABLE, start=monday.replace(hour=0, minute=0, second=0, microsecond=0))
    async with connection.transaction():
        for statement in statements(expired):
            await connection.execute(statement)
    kept = await keep_partitions(connection, [TABLE], now())
    await asyncio.sleep(0.1)
    return kept
