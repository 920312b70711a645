"""Rounds: orders by rule and by plan, repeat offenders, and that a round twice is a round once."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from alerts.silencing import NewSilence, add_silence
from alerts.transition import Severity
from devices.registry.errors import Conflict, Invalid
from store.audit import PLATFORM
from store.pool import connect
from tests.integration.api import builders
from tests.integration.work.builders import NOW, order, step
from tests.waiting import eventually
from work import steps
from work.clocks.repeats import list_repeats
from work.listing import WorkFilter, get_order, list_orders
from work.order import WorkOrder, WorkOrigin
from work.orders import NewOrder, make
from work.preventive.plans import NewPlan, WorkPlan, add_work_plan, end_work_plan
from work.rounds import by_rule
from work.rounds.periodic import LOCK, WorkRound, keep_rounds, work_round

DAY_MIN = 24 * 60
SOON = builders.NOON + timedelta(minutes=1)
TODAY = builders.NOON.date()


async def _round(connection: asyncpg.Connection, minutes: float = 0) -> WorkRound:
    done = await work_round(connection, builders.KINDS, step(minutes=minutes).now)
    assert done is not None
    return done


async def _orders(connection: asyncpg.Connection) -> list[WorkOrder]:
    return await list_orders(connection, WorkFilter(), now=NOW)


async def _asking_rule(connection: asyncpg.Connection) -> None:
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute("UPDATE rule SET work_from = 'major' WHERE id = 'bin-overflow'")


async def test_a_rule_makes_orders_where_the_municipality_wants_them(connection: asyncpg.Connection) -> None:
    await _asking_rule(connection)
    device = await builders.add(connection, "bin-1")
    before = await builders.fire(connection, device, at=builders.NOON - timedelta(minutes=1))
    assert await _round(connection) == WorkRound()

    assert await by_rule.switch(connection, "tripoli", on=True, by=PLATFORM, now=NOW)
    assert not await by_rule.switch(connection, "tripoli", on=True, by=PLATFORM, now=NOW)
    found = [await builders.add(connection, f"bin-{n}") for n in range(2, 5)]
    fired = await builders.fire(connection, found[0], at=SOON)
    await builders.fire(connection, found[1], severity=Severity.MINOR, at=SOON)  # less than the rule asks for
    await builders.fire(connection, found[2], at=SOON)
    silence = NewSilence(
        device="bin-4", reason="painted", until_at=builders.NOON + timedelta(days=1), from_at=builders.NOON
    )
    await add_silence(connection, builders.KINDS, silence, by=PLATFORM, now=NOW)

    assert (await _round(connection, 2)).by_rule == 1
    assert (await _round(connection, 3)).by_rule == 0

    [made] = await _orders(connection)
    assert (made.origin, made.device, list(made.alerts)) == (WorkOrigin.RULE, "bin-2", [fired])
    assert made.repair_due_at is not None
    assert before not in made.alerts

    # Called off by a person: the same alert makes no other.
    await steps.cancel(connection, made.id, "known", step(minutes=4))
    assert (await _round(connection, 5)).by_rule == 0


async def _plan(connection: asyncpg.Connection, **more: Any) -> WorkPlan:
    new = NewPlan(**{"title": "wash it", "every": 6, "unit": "months", **more})
    return await add_work_plan(connection, new, builders.KINDS, by=PLATFORM, now=NOW)


async def test_a_plan_makes_an_order_a_device_ahead_of_its_day(connection: asyncpg.Connection) -> None:
    for name in ("bin-1", "bin-2"):
        await builders.add(connection, name)
    await builders.add(connection, "bin-3", municipality="saida")
    thursday = next(day for days in range(11, 18) if (day := TODAY + timedelta(days=days)).weekday() == 3)
    plan = await _plan(connection, kind="bin", municipality="tripoli", first_day=thursday)

    ahead = (thursday - TODAY).days - 7
    made = [(await _round(connection, day * DAY_MIN)).planned for day in (0, ahead - 1, ahead, ahead + 1)]
    assert made == [0, 0, 2, 0]

    first, second = sorted(await _orders(connection), key=lambda one: one.device)
    assert [first.device, second.device] == ["bin-1", "bin-2"]
    assert (first.origin, first.title, first.severity) == (WorkOrigin.PLAN, "wash it", Severity.MINOR)
    assert first.response_due_at is None
    assert first.repair_due_at == datetime.combine(thursday, time(16), ZoneInfo("Asia/Beirut"))

    # Half a year later one is done, and has its next; the other is still open.
    await steps.cancel(connection, first.id, "not needed", step(minutes=DAY_MIN))
    assert (await _round(connection, 200 * DAY_MIN)).planned == 1
    await end_work_plan(connection, plan.id, by=PLATFORM, now=NOW)
    assert (await _round(connection, 600 * DAY_MIN)).planned == 0
    with pytest.raises(Conflict):
        await end_work_plan(connection, plan.id, by=PLATFORM, now=NOW)


async def test_a_counter_makes_an_order_at_each_multiple(connection: asyncpg.Connection) -> None:
    lamp = await builders.add(connection, "light-1", kind="light")
    await _plan(connection, device="light-1", every=4_000, unit="counter", measurement="burn_hours")
    made = []
    for hours in (3_100, 3_919, 3_920, 4_100, 8_000, 120, 3_990):
        await builders.report(connection, lamp, burn_hours=hours)
        made.append((await _round(connection)).planned)
        for one in await _orders(connection):
            await steps.cancel(connection, one.id, "changed", step())
    # 2 % ahead; 120 is a new lamp, whose first is due at 4,000 again.
    assert made == [0, 0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"every": 0.5}, "every"),
        ({"unit": "counter", "measurement": "fill_pct"}, "measurement"),
        ({"first_day": date(2020, 1, 1)}, "first_day"),
        ({"title": " "}, "title"),
        ({"ahead": 91}, "ahead"),
        ({"kind": "bin"}, "device"),
    ],
)
async def test_a_plan_that_cannot_be_meant_is_refused(
    connection: asyncpg.Connection, wrong: dict[str, Any], field: str
) -> None:
    await builders.add(connection, "bin-1")
    with pytest.raises(Invalid) as refused:
        await _plan(connection, device="bin-1", **wrong)
    assert refused.value.field == field


async def test_devices_with_many_orders_are_shown_and_flagged(connection: asyncpg.Connection) -> None:
    await order(connection, "bin-1")
    for earlier in (1, 2):
        made = await make(connection, NewOrder(device="bin-1", title="again"), step())
        assert made.earlier == earlier
    [found] = await list_repeats(connection, now=NOW)
    assert (found.device, found.rule, found.orders, found.last_order) == ("bin-1", None, 3, made.id)
    assert await list_repeats(connection, now=NOW, least=4) == []
    assert await list_repeats(connection, now=NOW, towns=["saida"]) == []
    assert await list_repeats(connection, now=step(minutes=91 * DAY_MIN).now) == []


async def test_one_of_two_processes_does_the_round(
    connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        assert await work_round(connection, builders.KINDS, NOW) is None
    assert await work_round(connection, builders.KINDS, NOW) == WorkRound()


async def test_rounds_go_on_by_themselves_and_outlast_a_database_that_is_away(
    connection: asyncpg.Connection, dsn: str
) -> None:
    made = await order(connection)
    await connection.execute("UPDATE work_order SET repair_due_at = NULL, deadlines_by = NULL")
    tries = 0

    async def opened() -> asyncpg.Connection:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ConnectionRefusedError
        return await connect(dsn)

    async def has_deadline() -> bool:
        return (await get_order(connection, made.id)).repair_due_at is not None

    rounds = asyncio.create_task(keep_rounds(opened, builders.KINDS, lambda: NOW, every_s=0.01))
    try:
        await eventually(has_deadline)
    finally:
        rounds.cancel()
        await asyncio.gather(rounds, return_exceptions=True)
