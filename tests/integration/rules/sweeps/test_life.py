"""Nobody misses a planned device; an installed one is missed from its installation on."""

from __future__ import annotations

import asyncpg

from rules.sweeps.leader import sweep_once
from tests.integration.rules.sweeps.sweeping import (
    DARK,
    KINDS,
    LIT,
    NOON,
    alerts,
    circuit,
    hear,
    instant,
    sweep,
    with_default_rules,
)
from tests.integration.rules.town import MINUTE, add_device


async def install(connection: asyncpg.Connection, device: int, minute: float | None) -> None:
    """Let a device be installed at a minute after noon, or planned."""
    at = None if minute is None else instant(minute)
    await connection.execute("UPDATE device SET installed_at = $2 WHERE id = $1", device, at)


async def test_device_is_missed_from_its_installation_on(connection: asyncpg.Connection) -> None:
    await with_default_rules(connection)
    planned, installed, workbench = [
        await add_device(connection, name, interval_s=600) for name in ("B-1", "B-2", "B-3")
    ]
    await hear(connection, [workbench], -500, interval_s=600)
    await install(connection, planned, None)
    await install(connection, installed, 0)
    await install(connection, workbench, 20)

    assert await sweep(connection, 29) == 0
    await sweep(connection, 45)
    assert [a.device for a in await alerts(connection, "never-heard")] == ["B-2"]
    await sweep(connection, 60)

    assert {a.device for a in await alerts(connection, "never-heard")} == {"B-2", "B-3"}
    assert await alerts(connection, "silent") == []


async def test_planned_lamps_are_no_part_of_their_circuit(connection: asyncpg.Connection) -> None:
    await with_default_rules(connection)
    lamps = await circuit(connection)
    await hear(connection, lamps, 0, DARK)
    for lamp in lamps[6:]:
        await install(connection, lamp, None)
    await hear(connection, lamps[3:6], 0, LIT)
    await sweep(connection, 1)
    assert await alerts(connection, "circuit-down") == [], "three of the six that stand there are dark"

    await install(connection, lamps[6], -10)
    await hear(connection, lamps[:7], 2, DARK)
    await sweep(connection, 3)

    (alert,) = await alerts(connection, "circuit-down")
    assert alert.evidence["values"]["children"] == 7


async def test_alert_of_a_device_that_is_planned_again_ends(connection: asyncpg.Connection) -> None:
    await with_default_rules(connection)
    device = await add_device(connection, "B-1", interval_s=600)
    await hear(connection, [device], 0, interval_s=600)
    await sweep(connection, 40)
    assert [a.rule for a in await alerts(connection)] == ["silent"]

    await install(connection, device, None)
    await sweep_once(connection, KINDS, NOON + 41 * MINUTE)

    assert await alerts(connection) == []
