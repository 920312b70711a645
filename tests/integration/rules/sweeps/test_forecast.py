"""Forecasts are learnt and stored by the sweep process; a rule only judges what is stored."""

from __future__ import annotations

import asyncpg

from rules.maintenance import spans
from store.audit import PLATFORM
from tests.integration.rules.sweeps.sweeping import NOON, alerts, instant, sweep, with_rule
from tests.integration.rules.sweeps.test_families import SOON, store
from tests.integration.rules.town import add_device

CLOSED = SOON + "  when: {sun: day}\n"
"""Of a town without coordinates: it never looks."""
_FORECASTS = "SELECT count(*) FROM forecast WHERE p80_at < observed_at + interval '1 day'"


async def fill(connection: asyncpg.Connection, device: int, first: int, last: int, level: float) -> None:
    """Store half-hourly readings, filling by 1.2 points an hour, and sweep after each."""
    for minute in range(first, last + 1, 30):
        await store(connection, device, minute, fill_pct=level + 1.2 * (minute - first) / 60)
        await sweep(connection, minute + 1)


async def test_forecast_is_stored_while_its_rule_does_not_look_and_judged_once_it_does(
    connection: asyncpg.Connection,
) -> None:
    device = await add_device(connection, "B-1")
    await connection.execute("UPDATE municipality SET lat = NULL, lon = NULL")
    await with_rule(connection, CLOSED)
    await fill(connection, device, -2160, 0, 20)

    assert await connection.fetchval(_FORECASTS) == 1
    assert await alerts(connection) == []

    await with_rule(connection, SOON)
    assert await sweep(connection, 3) == 1, "no new reading is needed for it"
    (alert,) = await alerts(connection)
    assert alert.opened_at == instant(0)
    assert await sweep(connection, 4) == 0


async def test_alert_ends_by_the_forecast_alone_when_its_rule_asks_for_less(
    connection: asyncpg.Connection,
) -> None:
    device = await add_device(connection, "B-1")
    await with_rule(connection, SOON)
    await fill(connection, device, -2160, 0, 20)
    assert len(await alerts(connection)) == 1

    await with_rule(connection, SOON.replace("reaches: 85", "reaches: 85, within: 1h, clear: 2h"))

    assert await sweep(connection, 3) == 1
    assert await alerts(connection) == []


async def test_forecast_from_before_the_end_of_work_opens_no_alert(connection: asyncpg.Connection) -> None:
    device = await add_device(connection, "B-1")
    await with_rule(connection, SOON)
    await spans.plan(
        connection,
        from_at=instant(-600),
        until_at=instant(10),
        reason="",
        by=PLATFORM,
        now=NOON,
        device_id=device,
    )
    await fill(connection, device, -2160, 0, 20)
    assert await alerts(connection) == []

    assert await sweep(connection, 12) == 0, "what it holds now nobody has measured since"
    await store(connection, device, 30, fill_pct=63.8)
    await sweep(connection, 31)
    await store(connection, device, 60, fill_pct=64.4)
    await sweep(connection, 61)
    assert [a.rule for a in await alerts(connection)] == ["full-soon"]
