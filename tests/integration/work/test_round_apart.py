"""A round stands in nobody's way, and nothing stands in its: short transactions, one for each order."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import asyncpg
import pytest

from alerts.silencing import NewSilence, add_silence
from alerts.transition import Severity
from devices.registry.registry import get_device
from store.audit import PLATFORM
from tests.integration.api import builders
from tests.integration.work.builders import NOW, order, person, step
from tests.waiting import eventually
from work import steps
from work.assigning import Crew
from work.listing import WorkFilter, get_order, list_orders
from work.order import Verification, WorkOrigin, WorkState
from work.orders import NewOrder, make
from work.preventive.plans import NewPlan, add_work_plan
from work.report import WorkReport
from work.rounds import by_rule
from work.rounds.periodic import RoundState, WorkRound, work_round

DAY_MIN = 24 * 60
REPORT = WorkReport(found="full", done="emptied")


async def _round(connection: asyncpg.Connection, minutes: float = 0) -> WorkRound:
    done = await work_round(connection, builders.KINDS, step(minutes=minutes).now)
    assert done is not None
    return done


async def _ask_rules(connection: asyncpg.Connection) -> None:
    await builders.add_rule(connection, "bin-overflow")
    await connection.execute("UPDATE rule SET work_from = 'major' WHERE id = 'bin-overflow'")
    await builders.add_town(connection)
    await by_rule.switch(connection, "tripoli", on=True, by=PLATFORM, now=NOW)


async def _repaired(connection: asyncpg.Connection, device: str) -> tuple[int, int]:
    """Have a bin's alert put right, and shown by its readings; return the order and the alert."""
    found = await builders.add(connection, device)
    alert = await builders.fire(connection, found)
    rima = await person(connection, f"rima-{device}")
    made = await make(connection, NewOrder(alerts=[alert], to=Crew(assignee=f"rima-{device}")), step())
    await steps.accept(connection, made.id, step(rima, 5))
    await steps.finish(connection, made.id, REPORT, step(rima, 10))
    await builders.resolve(connection, found)
    await builders.report(connection, found, builders.NOON + timedelta(minutes=35), fill_pct=1)
    return made.id, alert


async def test_people_who_hold_an_order_and_want_the_audit_never_wait_for_ever_for_a_round(
    connection: asyncpg.Connection, pool: asyncpg.Pool
) -> None:
    (first, _), (second, _) = [await _repaired(connection, f"bin-{n}") for n in (1, 2)]
    await _round(connection, 11)

    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM work_order WHERE id = $1 FOR UPDATE", second)
        rounds = asyncio.create_task(_round(connection, 41))

        async def first_is_verified() -> bool:
            async with pool.acquire() as watcher:
                return (await get_order(watcher, first)).verification is Verification.VERIFIED

        await eventually(first_is_verified)
        await steps.comment(other, second, "hello", step(minutes=41))  # takes the chain of the town
    assert (await rounds).judged == 2


async def test_an_order_that_fails_does_not_stop_the_others(
    connection: asyncpg.Connection,
) -> None:
    (first, _), (second, _) = [await _repaired(connection, f"bin-{n}") for n in (1, 2)]
    await connection.execute(
        f"""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'poison'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON work_order FOR EACH ROW
        WHEN (new.id = {first} AND new.verification = 'verified') EXECUTE FUNCTION refuse()
        """
    )
    done = [await _round(connection, minutes) for minutes in (11, 41, 42)]
    assert [one.judged for one in done] == [0, 1, 0]
    assert (await get_order(connection, second)).verification is Verification.VERIFIED
    assert not await connection.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    )


async def test_done_work_of_a_plan_is_not_reopened_beside_its_next_order(
    connection: asyncpg.Connection,
) -> None:
    device = await builders.add(connection, "bin-1")
    rima = await person(connection, "rima")
    plan = NewPlan(title="wash", every=1, unit="weeks", device="bin-1", ahead=0, first_day=_day(0))
    await add_work_plan(connection, plan, builders.KINDS, by=PLATFORM, now=NOW)
    assert (await _round(connection, 1)).planned == 1
    await steps.accept(connection, 1, step(rima, 5))
    await steps.begin(connection, 1, step(rima, 6))
    await builders.fire(connection, device, at=builders.NOON + timedelta(minutes=10))
    assert (await _round(connection, 11)).added == 1
    await steps.finish(connection, 1, REPORT, step(rima, 30))
    assert (await _round(connection, 7 * DAY_MIN)).planned == 1
    await builders.report(connection, device, builders.NOON + timedelta(days=7, minutes=3), fill_pct=97)

    done = await _round(connection, 7 * DAY_MIN + 4)

    first = await get_order(connection, 1)
    assert (done.judged, first.state, first.verification) == (1, WorkState.DONE, Verification.FAILED)


async def test_preventive_work_ahead_of_its_day_takes_no_alerts(connection: asyncpg.Connection) -> None:
    await _ask_rules(connection)
    device = await builders.add(connection, "bin-1")
    plan = NewPlan(title="wash", every=6, unit="months", device="bin-1", ahead=90, first_day=_day(80))
    await add_work_plan(connection, plan, builders.KINDS, by=PLATFORM, now=NOW)
    await _round(connection, 1)
    alert = await builders.fire(
        connection, device, severity=Severity.CRITICAL, at=builders.NOON + timedelta(minutes=5)
    )

    done = await _round(connection, 6)

    assert (done.added, done.by_rule) == (0, 1)
    made = max(await list_orders(connection, WorkFilter(), now=NOW), key=lambda one: one.id)
    assert (made.origin, list(made.alerts)) == (WorkOrigin.RULE, [alert])


async def test_an_order_is_as_severe_as_the_worst_that_is_added(connection: asyncpg.Connection) -> None:
    device = await builders.add(connection, "bin-1")
    made = await make(connection, NewOrder(device="bin-1", title="paint it", severity=Severity.MINOR), step())
    at = builders.NOON + timedelta(minutes=5)
    await builders.fire(connection, device, rule="bin-fire", severity=Severity.CRITICAL, at=at)

    await _round(connection, 6)

    now = await get_order(connection, made.id)
    assert now.severity is Severity.CRITICAL
    assert made.repair_due_at is not None
    assert now.repair_due_at is not None
    assert now.repair_due_at < made.repair_due_at


async def test_silenced_alerts_stand_in_nobodys_way(
    connection: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_rule, "PAGE", 2)
    monkeypatch.setattr(by_rule, "AT_ONCE", 2)
    await _ask_rules(connection)
    for number in range(6):
        device = await builders.add(connection, f"bin-{number}")
        await builders.fire(connection, device, at=builders.NOON + timedelta(minutes=1))
        if number < 5:
            until = builders.NOON + timedelta(days=30)
            silence = NewSilence(device=device.name, reason="works", until_at=until, from_at=builders.NOON)
            await add_silence(connection, builders.KINDS, silence, by=PLATFORM, now=NOW)
    assert (await _round(connection, 2)).by_rule == 1


async def test_a_weekly_plan_makes_each_order(connection: asyncpg.Connection) -> None:
    await builders.add(connection, "bin-1")
    rima = await person(connection, "rima")
    plan = NewPlan(title="wash", every=1, unit="weeks", device="bin-1", first_day=_day(0))
    await add_work_plan(connection, plan, builders.KINDS, by=PLATFORM, now=NOW)
    days = []
    for day in range(22):
        await _round(connection, day * DAY_MIN)
        for one in await list_orders(connection, WorkFilter(active=True), now=NOW):
            made_for = await connection.fetchval("SELECT plan_day FROM work_order WHERE id = $1", one.id)
            days += [made_for] if made_for not in days else []
            if made_for == _day(day):  # done in the evening of its day
                await steps.accept(connection, one.id, step(rima, day * DAY_MIN + 1))
                await steps.finish(connection, one.id, REPORT, step(rima, day * DAY_MIN + 2))
    assert days == [_day(0), _day(7), _day(14), _day(21)]


async def test_a_counter_that_begins_anew_after_its_order_is_counted_from_its_beginning(
    connection: asyncpg.Connection,
) -> None:
    lamp = await builders.add(connection, "light-1", kind="light")
    plan = NewPlan(title="driver", every=4_000, unit="counter", measurement="burn_hours", device="light-1")
    await add_work_plan(connection, plan, builders.KINDS, by=PLATFORM, now=NOW)
    due = []
    for minutes, hours in enumerate((3_000, 3_990, 3_995, 5)):
        await builders.report(connection, lamp, builders.NOON + timedelta(minutes=minutes), burn_hours=hours)
        await _round(connection, minutes)
        due.append(await connection.fetchval("SELECT due_at_count FROM work_plan_device"))
    assert due == [4_000, 8_000, 8_000, 4_000]


async def test_a_new_plan_is_looked_at_at_once_and_others_every_ten_minutes(
    connection: asyncpg.Connection,
) -> None:
    memory, made = RoundState(), []
    plan = NewPlan(title="wash", every=6, unit="months", kind="bin", municipality="tripoli")
    await builders.add(connection, "bin-1")
    for minutes in (0, 1, 2, 12):
        if minutes == 1:
            await add_work_plan(connection, plan, builders.KINDS, by=PLATFORM, now=NOW)
        if minutes == 2:
            await builders.add(connection, "bin-2")
        done = await work_round(connection, builders.KINDS, step(minutes=minutes).now, memory)
        assert done is not None
        made.append(done.planned)
    assert made == [0, 1, 0, 1]


async def test_orders_of_devices_that_are_gone_are_cancelled_unless_somebody_has_them_in_hand(
    connection: asyncpg.Connection,
) -> None:
    rima = await person(connection, "rima")
    moved, accepted, stays = [await order(connection, f"bin-{number}") for number in range(3)]
    await builders.add_town(connection, "saida")
    await steps.accept(connection, accepted.id, step(rima))
    await connection.execute(
        "UPDATE device SET municipality_id = (SELECT id FROM municipality WHERE name = 'saida')"
        " WHERE name <> 'bin-2'"
    )

    assert (await _round(connection, 1)).gone == 1

    shown = [(await get_order(connection, one.id)).state.value for one in (moved, accepted, stays)]
    assert shown == ["cancelled", "accepted", "open"]
    # What it raises there is no matter of the order here.
    device = await get_device(connection, "bin-1")
    await builders.fire(connection, device, at=builders.NOON + timedelta(minutes=5))
    assert (await _round(connection, 6)).added == 0


def _day(number: int) -> date:
    return builders.NOON.date() + timedelta(days=number)
