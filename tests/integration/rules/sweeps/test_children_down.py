"""A circuit that fails is one incident: parents first, children stand back, restarts lose nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

from alerts.events import EventType, events_after
from alerts.queue import list_alerts
from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from rules.catalogue import catalogue
from rules.sweeps.leader import sweep_once
from tests.integration.rules.sweeps.sweeping import (
    DARK,
    KINDS,
    LIT,
    NOON,
    alerts,
    alive,
    circuit,
    disconnect,
    hear,
    instant,
    sweep,
    with_default_rules,
)
from tests.integration.rules.town import MINUTE


@pytest.fixture
async def lamps(connection: asyncpg.Connection) -> list[int]:
    await with_default_rules(connection)
    made = await circuit(connection)
    await hear(connection, made, 0, LIT)
    return made


async def test_circuit_is_down_once_most_lamps_lost_their_connection_together(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await disconnect(connection, lamps[:5], 3)
    assert await sweep(connection, 5) == 0, "five of ten are no circuit"

    await disconnect(connection, lamps[5:6], 4)
    assert await sweep(connection, 5.5) == 1
    assert await sweep(connection, 6) == 0

    (alert,) = await alerts(connection)
    assert (alert.rule, alert.device, alert.severity) == ("circuit-down", "CIR-1", Severity.CRITICAL)
    assert alert.summary["en"] == "Circuit CIR-1 is down: 6 of 10 lamps are dark or silent"
    assert alert.evidence["values"] == {"children": 10, "silent": 6, "dark": 0, "down": 6}
    assert alert.evidence["devices"] == [f"CIR-1-L{i}" for i in range(6)]


async def test_circuit_is_down_by_missing_readings_before_any_lamp_is_called_silent(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    assert await sweep(connection, 22) == 0
    assert await sweep(connection, 23) == 1

    assert [a.rule for a in await alerts(connection)] == ["circuit-down"]


async def test_circuit_is_down_when_most_lamps_are_dark_and_ends_when_they_are_lit(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await hear(connection, lamps[:7], 10, DARK)
    assert await sweep(connection, 11) == 1

    await hear(connection, lamps, 25, {"commanded_dim_pct": 0, "power_w": 0.4})
    assert await sweep(connection, 26) == 0, "by day nobody can tell whether they would burn"

    await hear(connection, lamps, 40, LIT)
    assert await sweep(connection, 41) == 1
    assert await alerts(connection) == []


async def test_circuit_is_up_once_lamps_connected_again_although_by_day_they_have_nothing_to_report(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await hear(connection, lamps, 1, {"commanded_dim_pct": 0, "power_w": 0.4}, interval_s=21600)
    await connection.execute("UPDATE latest SET interval_s = 21600")
    await disconnect(connection, lamps, 3)
    assert await sweep(connection, 5) == 1

    await connection.execute("UPDATE presence SET online = true, changed_at = $1", instant(600))

    assert await sweep(connection, 601) == 1
    assert await alerts(connection) == []


async def test_suspect_power_is_no_darkness(connection: asyncpg.Connection, lamps: list[int]) -> None:
    bit = KINDS["light"].measurement("power_w").bit
    await hear(connection, lamps, 10, DARK, quality=1 << bit)

    assert await sweep(connection, 11) == 0


async def test_lamps_that_failed_one_by_one_are_no_circuit(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    for i in range(7):
        await hear(connection, lamps[i : i + 1], -600 + 60 * i, LIT)
    await hear(connection, lamps[7:], 0, LIT)

    await sweep(connection, 5)

    assert {a.rule for a in await alerts(connection)} == {"silent"}


async def test_no_storm_of_silence_when_a_circuit_fails(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await sweep(connection, 23)
    assert await sweep(connection, 46) == 10, "each lamp is silent, and its alert opens"

    (incident,) = await alerts(connection, "circuit-down")
    silent = await alerts(connection, "silent")
    assert [a for a in await alerts(connection) if a.inhibited_by is None] == [incident]
    assert {a.inhibited_by for a in silent} == {incident.id}
    assert {e.type for e in await events_after(connection)} == {EventType.OPENED}


async def test_alert_that_opened_before_its_circuits_stands_back_and_surfaces_when_it_remains_bad(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await hear(connection, lamps[:1], -40, LIT)
    await sweep(connection, 7)
    (early,) = await alerts(connection)
    assert (early.rule, early.inhibited_by) == ("silent", None)
    assert early.held_until is not None
    assert (early.held_until - early.detected_at).total_seconds() == 300

    await sweep(connection, 23)
    (incident,) = await alerts(connection, "circuit-down")
    (stands_back,) = await alerts(connection, "silent")
    assert stands_back.inhibited_by == incident.id

    await hear(connection, lamps[1:], 30, LIT)
    await sweep(connection, 31)
    (settling,) = await alerts(connection)
    assert settling.inhibited_by == incident.id, "it has the settle time to recover"

    await sweep(connection, 36.1)
    (surfaced,) = await alerts(connection)
    assert (surfaced.id, surfaced.inhibited_by) == (early.id, None)
    assert [e.type for e in await events_after(connection) if e.rule == "silent"] == [
        EventType.OPENED,
        EventType.INHIBITED,
        EventType.SURFACED,
    ]


async def test_lamp_that_recovers_with_its_circuit_never_surfaces(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await sweep(connection, 23)
    await sweep(connection, 46)
    await hear(connection, lamps, 50, LIT)

    assert await sweep(connection, 51) == 11
    await sweep(connection, 60)

    assert await alerts(connection) == []
    assert EventType.SURFACED not in {e.type for e in await events_after(connection)}


async def test_alert_of_a_lamp_stands_back_from_the_start_when_its_circuit_is_down(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await sweep(connection, 23)
    (incident,) = await alerts(connection)
    opened = Transition(
        rule="light-lamp-failure",
        version=1,
        device_id=lamps[0],
        from_state=ConditionState.PENDING,
        to_state=ConditionState.FIRING,
        severity=Severity.MAJOR,
        observed_at=NOON,
        received_at=NOON,
        evidence={},
    )

    await record(connection, [opened], lambda _: {"en": "", "fr": "", "ar": ""}, NOON + 24 * MINUTE)

    assert [a.inhibited_by for a in await alerts(connection, "light-lamp-failure")] == [incident.id]


async def test_outage_of_ours_raises_no_circuit(connection: asyncpg.Connection, lamps: list[int]) -> None:
    await disconnect(connection, lamps, 50)
    for caught_up, why in ((None, "ingest is catching up"), (95.5, "lamps had no time to connect again")):
        await alive(connection, 100, caught_up)
        assert await sweep_once(connection, KINDS, NOON + 100 * MINUTE) == 0, why
    await alive(connection, 99)
    assert await sweep_once(connection, KINDS, NOON + 100 * MINUTE) == 0, "ingest gave no sign of life"


async def test_outage_of_ours_does_not_end_a_circuits_incident(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await sweep(connection, 23)

    await alive(connection, 50, None)
    assert await sweep_once(connection, KINDS, NOON + 50 * MINUTE) == 0
    assert [a.rule for a in await alerts(connection)] == ["circuit-down"]


async def test_incident_ends_when_its_rule_is_withdrawn_or_its_circuit_retired(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    other = await circuit(connection, "CIR-2")
    await hear(connection, other, 0, LIT)
    await sweep(connection, 23)
    assert len(await alerts(connection)) == 2

    await connection.execute(
        "UPDATE device SET retired_at = now(), retired_reason = 'removed' WHERE name = 'CIR-2'"
    )
    assert await sweep(connection, 24) == 1
    await connection.execute("UPDATE rule SET active = false WHERE id = 'circuit-down'")
    assert await sweep(connection, 25) == 1

    ended = await list_alerts(connection)
    assert [a.state for a in ended] == ["resolved", "resolved"]


async def test_circuits_incident_survives_a_restart_between_its_beginning_and_its_end(
    dsn: str, connection: asyncpg.Connection, lamps: list[int], tmp_path: Path
) -> None:
    """One process begins the incident and is killed; another took its place as leader and ends it."""
    clock = tmp_path / "clock"

    async def at(minute: float) -> None:
        # Replaced at once: a reader must never find half a number.
        (tmp_path / "next").write_text(str(NOON + round(minute * MINUTE)))
        (tmp_path / "next").replace(clock)
        await alive(connection, minute)

    async def until(count: int, rule: str = "circuit-down") -> None:
        async with asyncio.timeout(30):
            while True:
                if len(await alerts(connection, rule)) == count:
                    return
                await asyncio.sleep(0.02)

    await at(23)
    first = await sweeper(dsn, clock)
    try:
        await until(1)
        (begun,) = await alerts(connection)
        second = await sweeper(dsn, clock)
    finally:
        first.kill()
        await first.wait()
    try:
        await at(46)
        await until(10, "silent")
        assert {a.inhibited_by for a in await alerts(connection, "silent")} == {begun.id}
        await hear(connection, lamps, 50, LIT)
        await at(51)
        await until(0)
    finally:
        second.kill()
        await second.wait()

    told = [e for e in await events_after(connection) if e.rule == "circuit-down"]
    assert [(e.alert_id, e.type) for e in told] == [
        (begun.id, EventType.OPENED),
        (begun.id, EventType.RESOLVED),
    ]


async def sweeper(dsn: str, clock: Path) -> asyncio.subprocess.Process:
    """Start a process that sweeps, and return it once it does."""
    command = [sys.executable, "-m", "tests.integration.rules.sweeps.sweeper", dsn, str(clock)]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        assert await process.stdout.readline() == b"sweeping\n"
    return process


async def test_sweep_rule_that_breaks_is_marked_and_costs_no_other(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    await connection.execute("ALTER TABLE presence RENAME TO gone")

    assert await sweep(connection, 46) == 10
    await connection.execute("ALTER TABLE gone RENAME TO presence")

    assert list((await catalogue.active(connection, KINDS)).broken) == ["circuit-down"]


async def test_circuit_that_is_cut_by_day_is_left_alone_until_dusk_has_passed(
    connection: asyncpg.Connection, lamps: list[int]
) -> None:
    # On the equator, where the sun is highest at NOON, whatever hour it is here.
    hours = NOON / 3600e6 % 24
    await connection.execute("UPDATE device SET lat = 0, lon = $1", (12 - hours) * 15)
    await connection.execute("""UPDATE device SET attributes = '{"supply": "night"}' WHERE name = 'CIR-1'""")
    await disconnect(connection, lamps, 3)

    assert await sweep(connection, 30) == 0, "noon: neither circuit nor lamps are told"
    assert await sweep(connection, 300) == 0

    minute = 300
    while minute < 480 and not await sweep(connection, minute):
        minute += 5
    # Dark six hours and a half after noon, give or take the equation of time, and half an hour to speak.
    assert 375 < minute < 470
    assert "circuit-down" in [a.rule for a in await alerts(connection)]
