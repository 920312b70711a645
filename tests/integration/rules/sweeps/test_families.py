"""Sweeps across devices on a real database: stale measurements, odd neighbours, bins that will be full."""

from __future__ import annotations

import asyncpg
import pytest

from alerts.queue import list_alerts
from devices.instants import to_datetime
from rules.sweeps.leader import sweep_once
from tests.integration.rules.sweeps.sweeping import (
    KINDS,
    NOON,
    alerts,
    alive,
    hear,
    instant,
    sweep,
    with_rule,
)
from tests.integration.rules.town import MINUTE, add_device

STALE = """
- id: level-missing
  kind: bin
  not_refreshed: {measurement: fill_pct, missing: 6 intervals, at_least: 1h}
"""
ODD = """
- id: odd
  kind: bin
  neighbours: {measurement: temperature_c, within: 500 m, at_least: 5, minimum: 10, for: 30m}
"""
SOON = """
- id: full-soon
  kind: bin
  forecast: {measurement: fill_pct, reaches: 85}
"""


async def store(connection: asyncpg.Connection, device: int, minute: float, **measured: float | None) -> None:
    """Store a reading and let it be the newest."""
    names = ", ".join(measured)
    places = ", ".join(f"${i}" for i in range(3, 3 + len(measured)))
    await connection.execute(
        f"INSERT INTO bin_reading (device_id, observed_at, received_at, quality, {names})"
        f" VALUES ($1, $2, $2, 0, {places})",
        device,
        instant(minute),
        *measured.values(),
    )
    known = {name: value for name, value in measured.items() if value is not None}
    await hear(connection, [device], minute, known, interval_s=600)


async def test_measurement_is_not_refreshed_although_its_device_speaks(
    connection: asyncpg.Connection,
) -> None:
    await with_rule(connection, STALE)
    device = await add_device(connection, "B-1")
    await store(connection, device, -10, fill_pct=40.0, temperature_c=20.0)
    for minute in range(0, 61, 10):
        await store(connection, device, minute, fill_pct=None, temperature_c=20.0)
        assert await sweep(connection, minute) == (1 if minute == 60 else 0)

    (alert,) = await alerts(connection)
    assert alert.opened_at == instant(50)
    assert alert.evidence["values"] == {"missing_h": 1.2}

    await store(connection, device, 70, fill_pct=41.0, temperature_c=20.0)
    assert await sweep(connection, 71) == 1
    (ended,) = await list_alerts(connection)
    assert ended.resolved_at == instant(70)


async def test_missing_measurement_is_dated_by_the_first_reading_without_it_after_a_gap(
    connection: asyncpg.Connection,
) -> None:
    await with_rule(connection, STALE)
    device = await add_device(connection, "B-1")
    await store(connection, device, -10, fill_pct=40.0, temperature_c=20.0)
    for minute in range(300, 361, 10):
        await store(connection, device, minute, fill_pct=None, temperature_c=20.0)
        assert await sweep(connection, minute) == (1 if minute == 360 else 0)

    (alert,) = await alerts(connection)
    assert alert.opened_at == instant(300), "nothing was missing while nothing was read"
    assert alert.evidence["since"] == instant(-10).isoformat()


async def test_missing_measurement_is_dated_by_its_backlog_when_that_comes_before_the_alert(
    connection: asyncpg.Connection,
) -> None:
    await with_rule(connection, STALE)
    device = await add_device(connection, "B-1")
    await store(connection, device, -10, fill_pct=40.0, temperature_c=20.0)
    for minute in range(300, 351, 10):
        await store(connection, device, minute, fill_pct=None, temperature_c=20.0)
        assert await sweep(connection, minute) == 0
    for minute in (120, 130):
        await connection.execute(
            "INSERT INTO bin_reading (device_id, observed_at, received_at, quality, temperature_c)"
            " VALUES ($1, $2, $3, 0, 20)",
            device,
            instant(minute),
            instant(355),
        )
    await store(connection, device, 360, fill_pct=None, temperature_c=20.0)
    assert await sweep(connection, 360) == 1

    (alert,) = await alerts(connection)
    assert alert.opened_at == instant(120)


async def test_measurement_that_comes_now_and_then_is_no_news(connection: asyncpg.Connection) -> None:
    await with_rule(connection, STALE)
    device = await add_device(connection, "B-1")
    for minute in range(0, 301, 10):
        level = 40.0 if minute % 50 == 0 else None
        await store(connection, device, minute, fill_pct=level, temperature_c=20.0)
        if level is None:
            assert await sweep(connection, minute) == 0, minute


async def test_device_that_never_measured_it_is_left_alone(connection: asyncpg.Connection) -> None:
    await with_rule(connection, STALE)
    device = await add_device(connection, "B-1")
    for minute in range(0, 181, 10):
        await store(connection, device, minute, temperature_c=20.0)
        assert await sweep(connection, minute) == 0

    assert await connection.fetchval("SELECT dismissed FROM sweep_pending")


async def test_silent_device_is_not_told_for_its_measurements_too(connection: asyncpg.Connection) -> None:
    await with_rule(connection, STALE)
    device = await add_device(connection, "B-1")
    await store(connection, device, -10, fill_pct=40.0)
    await store(connection, device, 0, temperature_c=20.0)
    await sweep(connection, 1)

    assert await sweep(connection, 120) == 0


@pytest.fixture
async def square(connection: asyncpg.Connection) -> list[int]:
    """Seven bins around one square and one in another town."""
    made = [await add_device(connection, f"B-{i}") for i in range(8)]
    for i, device in enumerate(made):
        lat = 32.9 + 0.0002 * i + (1.0 if i == 7 else 0.0)
        await connection.execute("UPDATE device SET lat = $2, lon = 13.2 WHERE id = $1", device, lat)
    return made


async def measure(connection: asyncpg.Connection, devices: list[int], minute: float, *odd: float) -> None:
    """Let all bins be about 20 degrees warm but the first ones."""
    for i, device in enumerate(devices):
        celsius = odd[i] if i < len(odd) else 20.0 + 0.1 * i
        await hear(connection, [device], minute, {"temperature_c": celsius}, interval_s=600)


async def test_neighbours_median_ignores_one_broken_sensor(
    connection: asyncpg.Connection, square: list[int]
) -> None:
    await with_rule(connection, ODD)
    for minute in (0, 10, 20):
        await measure(connection, square, minute, 80.0)
        assert await sweep(connection, minute + 1) == 0
    await measure(connection, square, 30, 80.0)
    assert await sweep(connection, 31) == 1

    (alert,) = await alerts(connection)
    assert (alert.device, alert.opened_at) == ("B-0", instant(30))
    assert alert.evidence["values"] == {"value": 80.0, "median": 20.4, "neighbours": 6}

    await measure(connection, square, 40, 21.0)
    assert await sweep(connection, 41) == 1
    assert await alerts(connection) == []


async def test_suspicion_of_a_neighbour_survives_a_restart_and_ends_when_it_is_near_again(
    connection: asyncpg.Connection, square: list[int]
) -> None:
    await with_rule(connection, ODD)
    await measure(connection, square, 0, 80.0)
    await sweep(connection, 1)
    assert await connection.fetchval("SELECT since FROM sweep_pending") == instant(0)

    await measure(connection, square, 20, 20.0)
    await sweep(connection, 21)
    await measure(connection, square, 40, 80.0)

    assert await sweep(connection, 41) == 0


async def test_device_without_enough_neighbours_is_compared_with_nobody(
    connection: asyncpg.Connection, square: list[int]
) -> None:
    await with_rule(connection, ODD)
    for minute in (0, 40):
        await measure(connection, [square[7], *square[:4]], minute, 80.0, 80.0)
        assert await sweep(connection, minute + 1) == 0


async def fill(
    connection: asyncpg.Connection, device: int, start: int, stop: int, level: float, rate: float
) -> None:
    """Store half-hourly readings, filling by so much an hour, and sweep after each."""
    for minute in range(start, stop, 30):
        await store(connection, device, minute, fill_pct=level + rate * (minute - start) / 60)
        await sweep(connection, minute + 1)


async def test_bin_will_be_full_soon_until_it_is_emptied(connection: asyncpg.Connection) -> None:
    await with_rule(connection, SOON)
    device = await add_device(connection, "B-1")

    await fill(connection, device, -2160, -720, 20, 1.2)
    assert await alerts(connection) == [], "a day and more is left"
    await fill(connection, device, -720, 0, 48.8, 1.2)
    (alert,) = await alerts(connection)
    assert alert.evidence["values"]["rate_per_h"] == pytest.approx(1.2, abs=0.02)
    # Of a day and a half not much is known yet.
    assert alert.evidence["values"]["hours"] == pytest.approx(20, abs=1)
    assert alert.evidence["values"]["hours_p80"] == pytest.approx(24, abs=1)

    row = await connection.fetchrow("SELECT * FROM forecast")
    assert row is not None
    left = (85 - 62.6) / 1.2 * 60
    assert abs((row["p50_at"] - instant(-30 + left)).total_seconds()) < 3600
    assert row["p80_at"] >= row["p50_at"]

    await fill(connection, device, 0, 61, 2, 1.2)
    assert await alerts(connection) == []
    assert await connection.fetchval("SELECT emptied_at FROM forecast") == instant(0).replace(microsecond=0)


async def test_forecast_learns_from_stored_readings_and_from_a_state_it_cannot_read(
    connection: asyncpg.Connection,
) -> None:
    await with_rule(connection, SOON)
    device = await add_device(connection, "B-1")
    other = await add_device(connection, "B-2")
    for one in (other, device):
        for minute in range(-1800, 1, 10):
            await store(connection, one, minute, fill_pct=20 + 1.5 * (minute + 1800) / 60)

    assert await sweep(connection, 1) == 2
    samples = await connection.fetchval("SELECT samples FROM forecast WHERE device_id = $1", device)
    assert samples > 20

    await connection.execute("UPDATE forecast SET state = '\\x00'")
    await store(connection, device, 40, fill_pct=66.0)
    await sweep(connection, 41)
    assert await connection.fetchval("SELECT count(*) FROM forecast WHERE samples > 0") == 2


async def test_outage_of_ours_neither_begins_nor_ends_what_compares_devices(
    connection: asyncpg.Connection, square: list[int]
) -> None:
    await with_rule(connection, ODD)
    await measure(connection, square, 0, 80.0)
    await sweep(connection, 1)
    await measure(connection, square, 40, 80.0)

    await alive(connection, 41, None)
    assert await sweep_once(connection, KINDS, NOON + 41 * MINUTE) == 0
    assert await sweep(connection, 41) == 1
    await connection.execute("UPDATE latest SET received_at = $1", to_datetime(NOON - 600 * MINUTE))
    assert await sweep(connection, 42) == 0
