"""Deadlines of orders: put, moved with calendars and targets, told once when near and when missed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from alerts.transition import Severity
from devices.instants import to_microseconds
from store.audit import PLATFORM
from tests.integration.work import builders
from tests.integration.work.builders import order, person, step
from work import steps
from work.calendars import editing
from work.calendars.hours import parse_hours, parse_week
from work.clocks import deadlines, sla
from work.clocks.sla import LocalTarget, SlaTarget
from work.event import history
from work.listing import get_order

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NOW = to_microseconds(at("2026-11-29T12:00"))


@pytest.fixture(autouse=True)
def sunday(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be a Sunday in winter: calendars and the offset from UTC are another on other days."""
    monkeypatch.setattr(builders, "NOW", NOW)


async def _due(connection: asyncpg.Connection, number: int) -> tuple[datetime | None, datetime | None]:
    found = await get_order(connection, number)
    return found.response_due_at, found.repair_due_at


async def test_deadlines_are_there_at_once_and_follow_calendar_target_and_severity(
    connection: asyncpg.Connection,
) -> None:
    # Sunday 29 November 2026, noon UTC: 8 to 16 in Beirut (UTC+2), Saturday and Sunday are free.
    made = await order(connection, severity=Severity.MAJOR)
    assert made.created_at == at("2026-11-29T12:00")
    assert await _due(connection, made.id) == (at("2026-11-30T10:00"), at("2026-12-01T14:00"))

    await editing.put_day(connection, "tripoli", date(2026, 11, 30), working=False, by=PLATFORM, now=NOW)
    assert await deadlines.reckon(connection) == 1
    assert await _due(connection, made.id) == (at("2026-12-01T10:00"), at("2026-12-02T14:00"))

    week = parse_week({"sun": "08:00-20:00"})
    await editing.set_hours(
        connection, "tripoli", hours=week, ramadan_hours=parse_hours("12:00-18:00"), by=PLATFORM, now=NOW
    )
    await deadlines.reckon(connection)
    assert await _due(connection, made.id) == (at("2026-11-29T16:00"), at("2026-12-06T16:00"))

    target = SlaTarget(severity=Severity.MAJOR, response=HOUR, repair=2 * HOUR, around_the_clock=True)
    new = LocalTarget(municipality="tripoli", kind="bin", target=target)
    await sla.put_target(connection, new, by=PLATFORM, now=NOW)
    await deadlines.reckon(connection)
    assert await _due(connection, made.id) == (at("2026-11-29T13:00"), at("2026-11-29T14:00"))

    await connection.execute("UPDATE work_order SET severity = 'critical'")
    await deadlines.reckon(connection)
    assert await _due(connection, made.id) == (at("2026-11-29T13:00"), at("2026-11-29T20:00"))
    assert await deadlines.reckon(connection) == 0


async def test_deadlines_of_what_is_done_stay(connection: asyncpg.Connection) -> None:
    made = await order(connection)
    before = await _due(connection, made.id)
    await steps.cancel(connection, made.id, "built over", step())

    await editing.put_day(connection, "tripoli", date(2026, 11, 30), working=False, by=PLATFORM, now=NOW)

    assert await deadlines.reckon(connection) == 0
    assert await _due(connection, made.id) == before


async def test_near_and_missed_are_said_once_each(connection: asyncpg.Connection) -> None:
    made = await order(connection, severity=Severity.CRITICAL)  # an hour to answer, eight to repair
    rima = await person(connection, "rima")
    minutes = (0, 47, 48, 49, 61, 62)
    said = [await deadlines.warn(connection, step(minutes=after).now) for after in minutes]
    assert said == [[], [], [(made.id, "response-near")], [], [(made.id, "response-missed")], []]

    # Accepted in time, where nobody had a network: the order's own time says so.
    in_time = at("2026-11-29T12:30")
    await steps.accept(connection, made.id, step(rima, 70, happened_at=in_time))
    assert (await get_order(connection, made.id)).accepted_at == in_time

    # After a day without us it is missed, and was never said to be near.
    day = to_microseconds(at("2026-11-30T12:00"))
    assert await deadlines.warn(connection, day) == [(made.id, "repair-missed")]
    events = {e.type.value: e.happened_at for e in await history(connection, made.id)}
    assert events["repair-missed"] == at("2026-11-29T20:00")
    assert events["response-near"] == at("2026-11-29T12:48")


async def test_changes_are_in_the_audit(connection: asyncpg.Connection) -> None:
    await order(connection)
    town, days = "tripoli", (date(2026, 2, 19), date(2026, 3, 20))
    await editing.put_ramadan(connection, town, days, by=PLATFORM, now=NOW)
    await editing.remove_ramadan(connection, town, 1447, by=PLATFORM, now=NOW)
    await editing.put_day(connection, town, date(2026, 3, 21), working=True, by=PLATFORM, now=NOW)
    await editing.remove_day(connection, town, date(2026, 3, 21), by=PLATFORM, now=NOW)
    target = LocalTarget(municipality=None, kind=None, target=sla.DEFAULTS[Severity.MINOR])
    await sla.put_target(connection, target, by=PLATFORM, now=NOW)
    await sla.drop_target(connection, Severity.MINOR, municipality=None, kind=None, by=PLATFORM, now=NOW)

    rows = await connection.fetch("SELECT action FROM audit WHERE action ~ '^(calendar|sla)' ORDER BY id")

    assert [row["action"] for row in rows] == [
        "calendar.ramadan", "calendar.ramadan", "calendar.day", "calendar.day", "sla.set", "sla.drop",
    ]  # fmt: skip
