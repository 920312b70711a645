"""Sweep rules leave alone whoever is worked on or whose gate is closed, and what ingest never saw."""

from __future__ import annotations

import asyncpg
import pytest

from devices.instants import to_datetime
from rules.maintenance import spans
from rules.sweeps.leader import sweep_once
from store.audit import PLATFORM
from tests.integration.rules.sweeps.sweeping import (
    KINDS,
    LIT,
    NOON,
    alerts,
    circuit,
    disconnect,
    hear,
    instant,
    sweep,
    with_default_rules,
    with_rule,
)
from tests.integration.rules.town import MINUTE, add_device

GATED = """
- id: quiet
  kind: bin
  family: sweep
  silent: {{missing: 3 intervals}}
  when: {{{gate}}}
"""


async def work_on(
    connection: asyncpg.Connection, device: int, start: float, until: float, *, town: bool = False
) -> None:
    """Plan a window over a device, or over its whole municipality."""
    municipality = await connection.fetchval("SELECT municipality_id FROM device WHERE id = $1", device)
    await spans.plan(
        connection,
        from_at=instant(start),
        until_at=instant(until),
        reason="",
        by=PLATFORM,
        now=NOON,
        municipality_id=municipality if town else None,
        device_id=None if town else device,
    )


async def bin_heard(connection: asyncpg.Connection, minute: float) -> int:
    """Register a bin that reports every ten minutes."""
    device = await add_device(connection, "B-1")
    await hear(connection, [device], minute, {}, interval_s=600)
    return device


@pytest.mark.parametrize("town", [False, True])
async def test_device_is_not_silent_while_it_is_worked_on_and_has_its_time_again_afterwards(
    connection: asyncpg.Connection, town: bool
) -> None:
    await with_default_rules(connection)
    device = await bin_heard(connection, 0)
    await work_on(connection, device, 10, 60, town=town)

    assert await sweep(connection, 40) == 0
    assert await sweep(connection, 80) == 0
    assert await sweep(connection, 91) == 1


async def test_circuit_that_is_worked_on_has_no_incident_nor_do_its_lamps(
    connection: asyncpg.Connection,
) -> None:
    await with_default_rules(connection)
    lamps = await circuit(connection)
    await hear(connection, lamps, 0, LIT)
    await disconnect(connection, lamps, 5)
    parent = await connection.fetchval("SELECT id FROM device WHERE name = 'CIR-1'")
    await work_on(connection, parent, 0, 120)

    assert await sweep(connection, 119) == 0
    assert await sweep(connection, 121) == 1
    assert [a.rule for a in await alerts(connection)] == ["circuit-down"]


async def test_alert_neither_ends_nor_begins_while_its_device_is_worked_on(
    connection: asyncpg.Connection,
) -> None:
    await with_default_rules(connection)
    device = await bin_heard(connection, 0)
    assert await sweep(connection, 31) == 1
    await work_on(connection, device, 32, 60)
    await hear(connection, [device], 40, {}, interval_s=600)

    assert await sweep(connection, 41) == 0
    assert await sweep(connection, 61) == 1


async def test_rule_that_looks_during_maintenance_does(connection: asyncpg.Connection) -> None:
    await with_rule(connection, GATED.format(gate="maintenance: look"))
    device = await bin_heard(connection, 0)
    await work_on(connection, device, 10, 60)

    assert await sweep(connection, 40) == 1


async def test_rule_rests_outside_its_local_time(connection: asyncpg.Connection) -> None:
    local = to_datetime(NOON).hour + 2  # Libya keeps UTC+2 all year.
    hours = f'local_time: "{(local + 2) % 24:02}:00-{(local + 4) % 24:02}:00"'
    await with_rule(connection, GATED.format(gate=hours))
    await bin_heard(connection, 0)

    into_the_hour = to_datetime(NOON).minute
    assert await sweep(connection, 100 - into_the_hour) == 0
    assert await sweep(connection, 130 - into_the_hour) == 1


async def test_pause_of_ingest_raises_no_silence_on_a_clock_that_runs_fast(
    connection: asyncpg.Connection,
) -> None:
    """At 100 times the speed five seconds of ingest's are longer than a device's patience."""
    await with_default_rules(connection)
    await bin_heard(connection, 0)
    alive_within_s = 10.0 * 600
    await connection.execute("UPDATE shard SET alive_at = $1, caught_up_at = $2", instant(1), instant(-1000))
    paused = NOON + 60 * MINUTE

    assert await sweep_once(connection, KINDS, paused, alive_within_s=alive_within_s) == 0
    await connection.execute("UPDATE shard SET alive_at = $1", instant(59))
    assert await sweep_once(connection, KINDS, paused, alive_within_s=alive_within_s) == 1


async def test_rule_that_looks_by_the_sun_does_not_where_nobody_knows_the_place(
    connection: asyncpg.Connection,
) -> None:
    for sun in ("day", "night"):
        await with_rule(connection, GATED.format(gate=f"sun: {sun}").replace("quiet", f"quiet-by-{sun}"))
    device = await bin_heard(connection, 0)
    await connection.execute("UPDATE municipality SET lat = NULL, lon = NULL")

    assert await sweep(connection, 31) == 0

    await connection.execute("UPDATE device SET lat = 32.9, lon = 13.2 WHERE id = $1", device)
    assert await sweep(connection, 32) == 1, "it is day or night where the device itself stands"


async def test_sun_is_judged_where_a_device_stands_before_its_municipality(
    connection: asyncpg.Connection,
) -> None:
    await with_rule(connection, GATED.format(gate="sun: day"))
    await bin_heard(connection, 0)
    there = await add_device(connection, "B-2")
    await hear(connection, [there], 0, {}, interval_s=600)
    begins = to_datetime(NOON)
    # On the equator, where it is about noon in the town and midnight at the second bin.
    noon = 180 - 15 * (begins.hour + begins.minute / 60)
    await connection.execute("UPDATE municipality SET lat = 0, lon = $1", noon)
    await connection.execute("UPDATE device SET lat = 0, lon = $2 WHERE id = $1", there, noon + 180)

    assert await sweep(connection, 31) == 1
    assert [a.device for a in await alerts(connection)] == ["B-1"]
