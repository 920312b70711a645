"""The ledger accounts for every reading."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry.registry import Device
from readings import balance, ledger, said_names
from readings.balance import SequenceGap
from readings.ledger import BatchCounts, Period
from tests.integration.devices.town import KINDS, SECOND, START, add_bin, add_town

HOUR = 3600 * SECOND
BATCH = BatchCounts(
    shard="main",
    batch=1,
    source="mqtt",
    received_at=START,
    oldest_observed_at=START - HOUR,
    messages=7,
    received=10,
    stored=5,
    duplicate=2,
    rejected=3,
    undated=1,
    by_device={("TRP-BIN-0001", "duplicate"): 2, ("TRP-BIN-0001", "bad_value"): 1, ("", "bad_topic"): 2},
)

_READING = """
INSERT INTO bin_reading (device_id, observed_at, received_at, quality, boot, seq)
VALUES ($1, $2, $2, 0, $3, $4)
"""


async def store_reading(connection: asyncpg.Connection, device: Device, boot: int, seq: int) -> None:
    """Store a reading as ingest would, one second per sequence number."""
    at = to_datetime(START + (boot * 1000 + seq) * SECOND)
    await connection.execute(_READING, device.id, at, boot, seq)


@pytest.fixture
async def device(connection: asyncpg.Connection) -> Device:
    """A bin in tripoli."""
    await add_town(connection)
    return await add_bin(connection)


async def test_total_adds_batches_up_and_balances(connection: asyncpg.Connection) -> None:
    await ledger.record(connection, BATCH)
    await ledger.record(connection, replace(BATCH, batch=2, source="replay", oldest_observed_at=None))

    total = await ledger.total(connection)

    assert (total.messages, total.received, total.stored, total.duplicate) == (14, 20, 10, 4)
    assert total.reasons == {"bad_value": 2, "bad_topic": 4}
    assert total.balanced


async def test_total_of_nothing_balances(connection: asyncpg.Connection) -> None:
    total = await ledger.total(connection)

    assert (total.received, total.reasons, total.balanced) == (0, {}, True)


async def test_total_takes_only_what_was_received_in_the_span(connection: asyncpg.Connection) -> None:
    await ledger.record(connection, BATCH)
    await ledger.record(connection, replace(BATCH, batch=2, received_at=START + HOUR))

    since = await ledger.total(connection, since=to_datetime(START + 1))
    until = await ledger.total(connection, until=to_datetime(START + HOUR))

    assert (since.received, until.received) == (10, 10)


async def test_total_that_hides_a_reading_is_not_balanced() -> None:
    total = ledger.Totals(received=3, stored=2, duplicate=0, rejected=1, reasons={"bad_time": 1})

    assert total.balanced
    assert not replace(total, stored=1).balanced
    assert not replace(total, reasons={}).balanced
    assert not replace(total, counted=1).balanced
    assert replace(total, counted=1, dropped=True).balanced
    assert not replace(total, counted=total.stored + 1, dropped=True).balanced


async def test_periods_split_the_totals(connection: asyncpg.Connection) -> None:
    await ledger.record(connection, BATCH)
    await ledger.record(connection, replace(BATCH, batch=2, received_at=START + 2 * HOUR, by_device={}))

    periods = await ledger.by_period(connection, every=timedelta(hours=1))

    assert [p.totals.received for p in periods] == [10, 10]
    assert [p.totals.balanced for p in periods] == [True, False]
    assert isinstance(periods[0], Period)
    assert periods[1].start - periods[0].start == timedelta(hours=2)


async def test_device_names_too_long_to_index_are_merged_not_refused(connection: asyncpg.Connection) -> None:
    strange = {("x" * 50_000 + end, "bad_topic"): 1 for end in ("a", "b")} | {("n\x00ul", "bad_topic"): 1}

    await ledger.record(connection, replace(BATCH, by_device=strange))

    assert (await ledger.total(connection)).reasons == {"bad_topic": 3}


async def test_device_is_counted_from_its_readings(connection: asyncpg.Connection, device: Device) -> None:
    await ledger.record(connection, BATCH)
    for seq in range(4):
        await store_reading(connection, device, 1, seq)

    of_device = await balance.of_device(connection, KINDS, device)
    of_town = await balance.of_municipality(connection, KINDS, device.municipality_id)

    assert (of_device.received, of_device.stored, of_device.duplicate, of_device.rejected) == (7, 4, 2, 1)
    assert of_device == of_town


async def test_empty_readings_and_the_names_that_a_device_sends_are_told(
    connection: asyncpg.Connection, device: Device
) -> None:
    await connection.executemany(
        "INSERT INTO bin_reading (device_id, observed_at, received_at, quality, fill_pct, extra)"
        " VALUES ($1, $2, $2, 0, $3, $4)",
        [
            (device.id, to_datetime(START), 40.0, {"temperature": 21, "fw": "2.1"}),
            (device.id, to_datetime(START + SECOND), None, {"fillLevel": 41}),
            (device.id, to_datetime(START + 2 * SECOND), None, None),
        ],
    )
    await ledger.record(connection, replace(BATCH, empty=2))

    totals = await balance.of_device(connection, KINDS, device)
    names = await said_names.of_device(
        connection, KINDS[device.kind], device.id, since=None, until=to_datetime(START + HOUR)
    )

    assert (totals.stored, totals.empty) == (3, 2)
    assert (await ledger.total(connection)).empty == 2
    assert (await ledger.by_period(connection, every=timedelta(hours=1)))[0].totals.empty == 2
    assert names.measured == {"fill_pct": 1}
    assert names.extra == {"fillLevel": 1, "fw": 1, "temperature": 1}
    assert names.hints == {"temperature": "temperature_c, in Cel?"}


async def test_gaps_are_the_numbers_missing_within_a_start(
    connection: asyncpg.Connection, device: Device
) -> None:
    for boot, seq in [(1, 1), (1, 2), (1, 5), (2, 1), (2, 3)]:
        await store_reading(connection, device, boot, seq)

    found = await balance.gaps(connection, device)

    def at(seconds: int) -> datetime:
        return to_datetime(START + seconds * SECOND)

    assert found == [
        SequenceGap(boot=2, first=2, last=2, after=at(2001), before=at(2003)),
        SequenceGap(boot=1, first=3, last=4, after=at(1002), before=at(1005)),
    ]
