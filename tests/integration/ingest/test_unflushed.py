"""Newest values that were committed before a kill and never flushed are found again in the readings."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from devices.instants import to_datetime
from devices.registry.registry import load
from ingest.commit import latest
from ingest.commit.unflushed import restore
from ingest.decide.directory import Directory
from readings.latest import flush, get_latest
from tests.databases import now as wall_clock
from tests.integration.rules.ingestion import KINDS, Ingestion, bins
from tests.integration.rules.town import add_device

SECOND = 1_000_000
NOW = wall_clock() - 3600 * SECOND


async def test_restored_values_are_those_that_a_flush_would_have_written(
    connection: asyncpg.Connection,
) -> None:
    known, silent, own = [await add_device(connection, name) for name in ("B-1", "B-2", "B-3")]
    await connection.execute("UPDATE device SET attributes = '{\"interval_s\": 60}' WHERE id = $1", own)
    stranger = await add_device(connection, "B-9")
    await connection.execute(
        "INSERT INTO latest VALUES ($1, $2, $2, 600, 0, '{\"fill_pct\": 10}')", known, to_datetime(NOW)
    )
    ingestion = await Ingestion(connection).start()
    late = NOW - 600 * SECOND
    readings = [
        (known, NOW + SECOND, {"fill_pct": 20.0, "lid_open": 1.0}),
        (known, late, {"fill_pct": 15.0}),
        (own, NOW + SECOND, {"fill_pct": 30.0}),
        (stranger, NOW + SECOND, {"fill_pct": 90.0}),
    ]
    await ingestion.commit(bins(readings, NOW + 2 * SECOND))
    registry = await load(connection)
    known_then = {number: one for number, one in registry.devices.items() if number != stranger}
    registry = replace(registry, devices=known_then)  # not registered when ingest began

    await restore(connection, Directory(registry, KINDS), "main")

    newest = await get_latest(connection, "B-1")
    assert newest is not None
    assert newest.measurements == {"fill_pct": 20.0, "lid_open": True}
    assert newest.observed_at == to_datetime(NOW + SECOND)
    assert newest.received_at == to_datetime(NOW + 2 * SECOND + 1)  # of the late one: the device lives
    third = await get_latest(connection, "B-3")
    assert third is not None
    assert (third.interval_s, third.measurements) == (60.0, {"fill_pct": 30.0})
    assert await get_latest(connection, "B-2") is None
    assert await get_latest(connection, "B-9") is None
    assert silent


async def test_reading_is_restored_however_slowly_batches_followed_each_other(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latest, "LARGEST", 1)  # in as many pieces as there are devices
    waiting, *flushed = [await add_device(connection, f"B-{number}") for number in range(1, 5)]
    ingestion = await Ingestion(connection).start()
    await ingestion.commit(bins([(waiting, NOW, {"fill_pct": 20.0})], NOW))
    at = NOW
    for device in flushed * 2:  # a piece with each batch; the first of them came last
        at += 20 * SECOND
        await ingestion.commit(bins([(device, at, {"fill_pct": 30.0})], at))
    for device in flushed:
        row = "INSERT INTO latest VALUES ($1, $2, $2, 600, 0, '{\"fill_pct\": 30}')"
        await connection.execute(row, device, to_datetime(at))
    await ingestion.commit(bins([(flushed[0], at + SECOND, {"fill_pct": 40.0})], at + SECOND))

    await restore(connection, Directory(await load(connection), KINDS), "main")

    first, second = await get_latest(connection, "B-1"), await get_latest(connection, "B-2")
    assert first is not None
    assert second is not None
    assert (first.measurements["fill_pct"], second.measurements["fill_pct"]) == (20.0, 40.0)


async def test_good_position_outlives_a_restart_after_which_a_device_is_nowhere(
    connection: asyncpg.Connection,
) -> None:
    device = await add_device(connection, "B-1")
    await connection.execute(
        'INSERT INTO latest VALUES ($1, $2, $2, 600, 0, \'{"lat": 32.9, "lon": 13.2, "fill_pct": 1}\')',
        device,
        to_datetime(NOW),
    )
    columns = bins([(device, NOW + SECOND, {"fill_pct": 20.0, "lat": 0.0, "lon": 0.0})], NOW + SECOND)
    columns.quality[:] = sum(1 << KINDS["bin"].measurement(name).bit for name in ("lat", "lon"))
    directory, buffer = Directory(await load(connection), KINDS), latest.LatestBuffer()
    buffer.add(columns)

    await flush(connection, buffer.rows(directory))

    newest = await get_latest(connection, "B-1")
    assert newest is not None
    assert (newest.measurements, newest.quality) == ({"lat": 32.9, "lon": 13.2, "fill_pct": 20.0}, 0)
