"""Backtests over stored readings: the same alerts as live, however they are read, and nothing written."""

from __future__ import annotations

import itertools

import asyncpg
import numpy as np
import pytest

from devices.instants import to_datetime
from devices.registry.registry import load
from readings import replay
from readings.replay import ReceiveSpan
from rules.catalogue import editing
from rules.loading.files import parse
from rules.trial import backtest
from rules.trial.backtest import Backtest
from rules.trial.episodes import Episode
from rules.trial.replay import replay_history
from tests.actors import actor
from tests.integration.rules.ingestion import KINDS, Ingestion
from tests.integration.rules.test_live import OVERFLOW, START, fills, rule
from tests.integration.rules.town import MINUTE, add_device

END = START + 300 * MINUTE


async def tried(
    connection: asyncpg.Connection, text: str, devices: list[int] | None = None
) -> tuple[Episode, ...]:
    trial = Backtest(KINDS["bin"], parse(text, KINDS), await load(connection))
    async for _ in replay_history(connection, [trial], start=START, end=END, devices=devices):
        pass
    return trial.episodes("overflow")


async def lived(connection: asyncpg.Connection) -> tuple[int, int]:
    """Let two bins overflow under the live rule."""
    devices = await add_device(connection, "B-1"), await add_device(connection, "B-2")
    await editing.apply(connection, parse(OVERFLOW, KINDS), by=await actor(connection, "Rima"), now=START)
    ingestion = await Ingestion(connection).start()
    for minute, fill in ((0, 50), (10, 90), (20, 91), (30, 40), (40, 40), (50, 88), (60, 88)):
        for device in devices:
            await ingestion.commit(fills(device, (minute, fill + device % 2)))
    return devices


async def test_backtest_of_the_live_rule_finds_the_alerts_that_were_raised(
    connection: asyncpg.Connection,
) -> None:
    await lived(connection)

    found = await tried(connection, OVERFLOW)

    assert len(found) == 4
    assert found == await backtest.live_episodes(connection, "overflow", start=START, end=END)


async def test_backtest_of_one_device_leaves_the_others_out(connection: asyncpg.Connection) -> None:
    first, _ = await lived(connection)

    assert {e.device_id for e in await tried(connection, OVERFLOW, [first])} == {first}


async def test_backtest_writes_nothing(connection: asyncpg.Connection) -> None:
    await lived(connection)
    counts = (
        "SELECT (SELECT count(*) FROM alert), (SELECT count(*) FROM transition), (SELECT count(*) FROM rule)"
    )
    before = await connection.fetchrow(counts)

    await tried(connection, rule("overflow", "fill_pct >= 1", "for: 0"))

    assert await connection.fetchrow(counts) == before


@pytest.mark.parametrize("rows", [1, 3, 1000])
async def test_windows_hold_every_reading_once_and_in_order_however_they_are_cut(
    connection: asyncpg.Connection, rows: int
) -> None:
    await lived(connection)

    windows = await replay.windows(connection, START, END, rows)
    read = [
        await replay.columns(connection, KINDS["bin"], window, measurements=["fill_pct"])
        for window in windows
    ]

    received = np.concatenate([columns.received_at for columns in read])
    assert len(received) == 14
    assert (np.diff(received) >= 0).all()
    assert (windows[0].start, windows[-1].end) == (START, END)
    assert all(a.end == b.start for a, b in itertools.pairwise(windows))


async def test_backlog_is_found_although_it_was_observed_long_before_it_was_received(
    connection: asyncpg.Connection,
) -> None:
    device = await add_device(connection, "B-1")
    ingestion = await Ingestion(connection).start()
    backlog = fills(device, (-300, 90), (-290, 90))
    backlog.received_at[:] = START + 5 * MINUTE + np.arange(2)
    await ingestion.commit(backlog)

    assert len(await tried(connection, OVERFLOW)) == 1


async def test_columns_come_back_as_they_were_stored(connection: asyncpg.Connection) -> None:
    device = await add_device(connection, "B-1")
    rows = [(21.5, True, 1), (None, None, 1 << 8), (22.0, False, 0)]
    for i, (celsius, lid_open, quality) in enumerate(rows):
        await connection.execute(
            "INSERT INTO bin_reading (device_id, observed_at, received_at, quality, temperature_c, lid_open)"
            " VALUES ($1, $2, $2, $3, $4, $5)",
            device,
            to_datetime(START + i * MINUTE),
            quality,
            celsius,
            lid_open,
        )

    window = ReceiveSpan(start=START, end=END, oldest=None, rows=0)
    wanted = ["temperature_c", "lid_open"]
    found = await replay.columns(connection, KINDS["bin"], window, measurements=wanted)

    assert found.device_id.tolist() == [device] * 3
    assert found.observed_at.tolist() == [START + i * MINUTE for i in range(3)]
    assert found.quality.tolist() == [1, 256, 0]
    assert np.array_equal(found.values["temperature_c"], [21.5, np.nan, 22.0], equal_nan=True)
    assert np.array_equal(found.values["lid_open"], [1.0, np.nan, 0.0], equal_nan=True)
    assert np.isnan(found.values["fill_pct"]).all()


async def test_texts_come_back_as_they_were_stored(connection: asyncpg.Connection) -> None:
    device = await add_device(connection, "D-1", "drone")
    drone = KINDS["drone"]
    text = next(m for m in drone.measurements if m.type == "text")
    for i, word in enumerate(["spraying", None, "a word نبض that is no choice"]):
        await connection.execute(
            f"INSERT INTO drone_reading (device_id, observed_at, received_at, quality, {text.name})"
            " VALUES ($1, $2, $2, 0, $3)",
            device,
            to_datetime(START + i * MINUTE),
            word,
        )

    window = ReceiveSpan(start=START, end=END, oldest=None, rows=0)
    found = await replay.columns(connection, drone, window, measurements=[text.name])

    assert found.values[text.name].tolist() == ["spraying", None, "a word نبض that is no choice"]


async def test_backtest_reads_only_the_measurements_that_the_rules_look_at(
    connection: asyncpg.Connection,
) -> None:
    text = (
        "- id: overflow\n  kind: bin\n  summary: {en: '{battery_v}', fr: x, ar: x}\n"
        "  let: {hot: temperature_c > 40}\n  levels: {warning: fill_pct > 80 and hot}\n"
    )

    trial = Backtest(KINDS["bin"], parse(text, KINDS), await load(connection))

    assert trial.measurements >= {"battery_v", "temperature_c", "fill_pct"}
    assert "rssi_dbm" not in trial.measurements
