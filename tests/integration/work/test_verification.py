"""Done work is verified by readings, or reopened while its condition goes on."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from alerts import holds
from devices.instants import to_datetime
from devices.registry.registry import Device, get_device
from people.editing import disable_person
from store.audit import PLATFORM, Actor
from tests.integration.api import builders
from tests.integration.work.builders import person, step
from work import steps
from work.assigning import Crew
from work.clocks import verification
from work.clocks.verification import VerificationOutcome
from work.event import WorkEventType, history
from work.listing import get_order
from work.order import Verification, WorkOrder, WorkState
from work.orders import NewOrder, make
from work.report import WorkReport

REPORT = WorkReport(found="full", done="emptied")


def after(minutes: float) -> datetime:
    return to_datetime(step(minutes=minutes).now)


async def _judged(connection: asyncpg.Connection, minutes: float) -> list[tuple[int, VerificationOutcome]]:
    await verification.begin(connection, builders.KINDS)
    return await verification.judge(connection, step(minutes=minutes).now)


async def _done(connection: asyncpg.Connection, rule: str = "bin-overflow") -> tuple[Device, WorkOrder]:
    """Have a bin's alert, which goes on, put right by rima ten minutes after noon."""
    device = await builders.add(connection, "bin-1")
    alert = await builders.fire(connection, device, rule=rule)
    rima = await person(connection, "rima")
    made = await make(connection, NewOrder(alerts=[alert], to=Crew(assignee="rima")), step())
    await steps.accept(connection, made.id, step(rima, 5))
    await steps.finish(connection, made.id, REPORT, step(rima, 10))
    return device, made


async def test_done_while_it_fires_is_reopened_then_done_and_verified_by_readings(
    connection: asyncpg.Connection,
) -> None:
    device, made = await _done(connection)
    # Three reports of a bin, one each ten minutes, show whether it was emptied.
    assert await _judged(connection, 11) == []
    shown = await get_order(connection, made.id)
    assert (shown.verification, shown.verify_until) == (Verification.WAITING, after(40))

    await builders.report(connection, device, after(35), fill_pct=97)
    assert await _judged(connection, 39) == []
    assert await _judged(connection, 40) == [(made.id, VerificationOutcome.REOPEN)]
    assert await _judged(connection, 41) == []
    shown = await get_order(connection, made.id)
    assert (shown.state, shown.assignee, shown.reopened) == (WorkState.ASSIGNED, "rima", 1)
    assert (shown.verification, shown.ended_at) == (Verification.FAILED, None)

    rima = Actor(principal=await connection.fetchval("SELECT id FROM person WHERE name = 'rima'"), address="")
    await steps.accept(connection, made.id, step(rima, 50))
    await steps.finish(connection, made.id, REPORT, step(rima, 60))
    await builders.resolve(connection, await get_device(connection, "bin-1"))
    assert await _judged(connection, 200) == []  # it has not reported since
    await builders.report(connection, device, after(210), fill_pct=3)
    assert await _judged(connection, 210) == [(made.id, VerificationOutcome.VERIFY)]

    shown = await get_order(connection, made.id)
    assert (shown.state, shown.verification, shown.verified_at) == (
        WorkState.DONE,
        Verification.VERIFIED,
        after(210),
    )
    told = [e.type.value for e in await history(connection, made.id)]
    assert told == [
        "created", "assigned", "accepted", "done", "reopened", "accepted", "done", "verified",
    ]  # fmt: skip
    assert await holds.held(connection, made.alerts, step(minutes=211).now) == {}
    actions = await connection.fetch("SELECT action FROM audit WHERE action LIKE 'work.%' ORDER BY id")
    assert [row["action"] for row in actions][-3:] == ["work.accept", "work.done", "work.verify"]


async def test_a_condition_that_comes_back_reopens_at_once(connection: asyncpg.Connection) -> None:
    device, made = await _done(connection)
    await builders.resolve(connection, device)
    again = await builders.fire(connection, device, at=builders.NOON + timedelta(minutes=15))

    assert await _judged(connection, 16) == [(made.id, VerificationOutcome.REOPEN)]

    shown = await get_order(connection, made.id)
    assert list(shown.alerts) == [*made.alerts, again]


async def test_reopened_work_of_who_is_not_let_in_any_more_is_nobodys(
    connection: asyncpg.Connection,
) -> None:
    device, made = await _done(connection)
    await disable_person(connection, "rima", step(minutes=12).now, by=PLATFORM)
    await builders.report(connection, device, after(35), fill_pct=97)

    assert await _judged(connection, 40) == [(made.id, VerificationOutcome.REOPEN)]

    shown = await get_order(connection, made.id)
    assert (shown.state, shown.assignee) == (WorkState.OPEN, None)


async def test_an_alert_that_another_one_explains_does_not_reopen(connection: asyncpg.Connection) -> None:
    device, made = await _done(connection)
    await builders.resolve(connection, device)
    again = await builders.fire(connection, device, at=builders.NOON + timedelta(minutes=15))
    cause = await builders.fire(connection, await builders.add(connection, "bin-2"))
    await connection.execute("UPDATE alert SET inhibited_by = $1 WHERE id = $2", cause, again)

    await builders.report(connection, device, after(35), fill_pct=97)
    assert await _judged(connection, 41) == []
    await connection.execute("UPDATE alert SET inhibited_by = NULL WHERE id = $1", again)
    assert await _judged(connection, 42) == [(made.id, VerificationOutcome.REOPEN)]


async def test_the_rule_says_how_long_and_silence_needs_no_readings(connection: asyncpg.Connection) -> None:
    await builders.add_rule(connection, "silent", family="silent")
    await connection.execute("UPDATE rule SET verify_within = '7200s' WHERE id = 'silent'")
    _, made = await _done(connection, "silent")

    assert await _judged(connection, 129) == []
    assert await _judged(connection, 130) == [(made.id, VerificationOutcome.REOPEN)]


async def test_what_another_open_order_has_by_now_is_only_said_to_have_failed(
    connection: asyncpg.Connection,
) -> None:
    device, made = await _done(connection)
    await builders.report(connection, device, after(35), fill_pct=97)
    other = await make(connection, NewOrder(alerts=list(made.alerts)), step(minutes=36))

    assert await _judged(connection, 40) == [(made.id, VerificationOutcome.WAIT)]
    assert await _judged(connection, 41) == []

    first, second = [await get_order(connection, one) for one in (made.id, other.id)]
    assert (first.state, first.verification) == (WorkState.DONE, Verification.FAILED)
    assert second.state is WorkState.OPEN
    happened = (await history(connection, made.id))[-1]
    assert (happened.type, happened.body) == (WorkEventType.FAILED, {"alert": made.alerts[0]})
    said = await connection.fetchval("SELECT after FROM audit WHERE action = 'work.fail'")
    assert said == {"event": happened.id}
