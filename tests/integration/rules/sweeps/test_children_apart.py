"""A low phase in service: one alert on the circuit, the lamps behind it, a bad joint at its pole."""

from __future__ import annotations

import asyncpg

from tests.integration.rules.sweeps.sweeping import alerts, circuit, hear, sweep, with_default_rules


async def test_low_phase_is_told_once_with_its_lamps_behind_it_and_ends(
    connection: asyncpg.Connection,
) -> None:
    await with_default_rules(connection)
    lamps = await circuit(connection, lamps=9)
    for minute in (0, 15, 30, 45):
        await hear(connection, lamps, minute, {"voltage_v": 230.0})
        await hear(connection, lamps[::3], minute, {"voltage_v": 188.0})
        await sweep(connection, minute + 1)
        await sweep(connection, minute + 12)

    (one,) = [a for a in await alerts(connection) if a.inhibited_by is None]
    assert (one.rule, one.device) == ("circuit-voltage", "CIR-1")
    assert one.summary["en"].startswith("3 of 9 lamps on circuit CIR-1 have 188 V")
    assert one.evidence["devices"] == ["CIR-1-L0", "CIR-1-L3", "CIR-1-L6"]
    behind = {(a.rule, a.device) for a in await alerts(connection) if a.inhibited_by == one.id}
    assert behind == {("light-voltage-apart", f"CIR-1-L{n}") for n in (0, 3, 6)}

    await hear(connection, lamps, 60, {"voltage_v": 230.0})
    await sweep(connection, 61)
    assert await alerts(connection) == []


async def test_bad_joint_is_told_at_its_pole_alone(connection: asyncpg.Connection) -> None:
    await with_default_rules(connection)
    lamps = await circuit(connection, lamps=9)
    for minute in (0, 15, 30, 45):
        await hear(connection, lamps, minute, {"voltage_v": 230.0})
        await hear(connection, lamps[:1], minute, {"voltage_v": 188.0})
        await sweep(connection, minute + 1)

    (one,) = await alerts(connection)
    assert (one.rule, one.device, one.inhibited_by) == ("light-voltage-apart", "CIR-1-L0", None)
