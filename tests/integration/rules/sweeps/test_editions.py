"""Every sweep on the timescale edition: the same statements, the same alerts."""

from __future__ import annotations

from store.pool import connect
from tests.integration.rules.sweeps.sweeping import (
    LIT,
    alerts,
    circuit,
    hear,
    sweep,
    with_default_rules,
    with_rule,
)
from tests.integration.rules.sweeps.test_families import ODD, SOON, STALE, fill, store
from tests.integration.rules.town import add_device


async def test_sweeps_find_the_same_on_the_timescale_edition(timescale_dsn: str) -> None:
    connection = await connect(timescale_dsn)
    try:
        await with_default_rules(connection)
        for rule in (STALE, ODD, SOON):
            await with_rule(connection, rule)
        lamps = await circuit(connection)
        await hear(connection, lamps, 0, LIT)
        filling, stale = await add_device(connection, "B-1"), await add_device(connection, "B-2")
        await store(connection, stale, -500, fill_pct=40.0, temperature_c=20.0)
        await store(connection, stale, -490, temperature_c=20.0)
        await fill(connection, filling, -1800, 40, 45, 1)
        await store(connection, stale, 40, temperature_c=20.0)
        await sweep(connection, 46)

        found = {(a.rule, a.device): a.inhibited_by for a in await alerts(connection)}
        (incident,) = await alerts(connection, "circuit-down")
    finally:
        await connection.close()

    behind = {("silent", f"CIR-1-L{i}"): incident.id for i in range(10)}
    assert found == {
        ("circuit-down", "CIR-1"): None,
        ("full-soon", "B-1"): None,
        ("bin-full-soon", "B-1"): None,
        ("level-missing", "B-2"): None,
        **behind,
    }
