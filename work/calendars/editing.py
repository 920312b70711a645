"""Changes of working calendars by people: hours, single days, when Ramadan is. Each is audited.

Deadlines of open orders follow within seconds (work.clocks.deadlines). Must not know HTTP or commands.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from devices.instants import to_datetime
from devices.registry.errors import Invalid, NotFound
from devices.registry.registry import get_municipality
from store import audit
from store.audit import Actor
from store.connection import Connection
from work.calendars.hours import hours_text, stored_hours, week_text
from work.calendars.public_days import hijri_year_of, ramadan_of
from work.calendars.stored import StoredCalendar, calendars
from work.calendars.working import DayHours, Days

NAME_LENGTH = 100
MOVED_AT_MOST = 5
"""Days by which Ramadan begins or ends before or after what is foreseen."""


async def calendar_of(connection: Connection, municipality: str) -> StoredCalendar:
    """Return the calendar of a municipality.

    Raises:
        NotFound: there is no such municipality.
    """
    town = await get_municipality(connection, municipality)
    return (await calendars(connection, [town.id]))[town.id]


_LOCK = "SELECT id FROM municipality WHERE id = $1 FOR NO KEY UPDATE"
_SET_HOURS = """
INSERT INTO work_calendar (municipality_id, hours, ramadan_hours) VALUES ($1, $2, $3)
ON CONFLICT (municipality_id) DO UPDATE SET hours = excluded.hours, ramadan_hours = excluded.ramadan_hours
"""


async def set_hours(
    connection: Connection,
    municipality: str,
    *,
    hours: Mapping[int, DayHours] | None,
    ramadan_hours: DayHours | None,
    by: Actor,
    now: int,
) -> StoredCalendar:
    """Say in which hours people work.

    Args:
        hours: by ISO day; None: the default.
        ramadan_hours: of a day in Ramadan; none at all: the same as else; None: the default.
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such municipality.
    """
    week = None if hours is None else {str(day): stored_hours(spans) for day, spans in sorted(hours.items())}
    in_ramadan = None if ramadan_hours is None else stored_hours(ramadan_hours)
    async with connection.transaction():
        before = await _locked(connection, municipality)
        await connection.execute(_SET_HOURS, before.id, week, in_ramadan)
        after = await calendar_of(connection, municipality)
        await _record(connection, after, "hours", municipality, _said(before), _said(after), by, now)
    return after


def _said(calendar: StoredCalendar) -> dict[str, Any]:
    in_ramadan = calendar.in_ramadan()
    return {
        **week_text(calendar.week()),
        "ramadan": None if in_ramadan is None else hours_text(in_ramadan),
    }


_PUT_DAY = """
INSERT INTO calendar_day (municipality_id, day, working, name, author_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (municipality_id, day) DO UPDATE SET
    working = excluded.working, name = excluded.name, author_id = excluded.author_id,
    created_at = excluded.created_at
"""


async def put_day(
    connection: Connection,
    municipality: str,
    day: date,
    *,
    working: bool,
    name: str = "",
    by: Actor,
    now: int,
) -> StoredCalendar:
    """Make a day one of rest, or one of work whatever the public holidays and the week-end say.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such municipality.
        Invalid: the name is too long.
    """
    name = name.strip()
    if len(name) > NAME_LENGTH:
        raise Invalid("name", f"has at most {NAME_LENGTH} characters")
    async with connection.transaction():
        before = await _locked(connection, municipality)
        await connection.execute(_PUT_DAY, before.id, day, working, name, by.principal, to_datetime(now))
        was = {"working": before.days[day]} if day in before.days else None
        await _record(connection, before, "day", str(day), was, {"working": working}, by, now)
        return await calendar_of(connection, municipality)


_REMOVE_DAY = "DELETE FROM calendar_day WHERE municipality_id = $1 AND day = $2"


async def remove_day(
    connection: Connection, municipality: str, day: date, *, by: Actor, now: int
) -> StoredCalendar:
    """Take back what somebody said of a day.

    Raises:
        NotFound: there is no such municipality, or nobody said anything of that day.
    """
    async with connection.transaction():
        before = await _locked(connection, municipality)
        if day not in before.days:
            hint = "a public holiday is made a day of work with `nabd calendar holiday remove`"
            raise NotFound("calendar day", str(day), hint)
        await connection.execute(_REMOVE_DAY, before.id, day)
        was = {"working": before.days[day]}
        await _record(connection, before, "day", str(day), was, None, by, now)
        return await calendar_of(connection, municipality)


_PUT_RAMADAN = """
INSERT INTO ramadan_dates (municipality_id, hijri_year, first_day, last_day, author_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (municipality_id, hijri_year) DO UPDATE SET
    first_day = excluded.first_day, last_day = excluded.last_day, author_id = excluded.author_id,
    created_at = excluded.created_at
"""


async def put_ramadan(
    connection: Connection, municipality: str, days: Days, *, by: Actor, now: int, year: int | None = None
) -> StoredCalendar:
    """Say when Ramadan was announced to begin and to end.

    Args:
        days: the first and the last.
        year: of the Hijri calendar; without it that of the days.
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such municipality.
        Invalid: that is no Ramadan.
    """
    year = _ramadan_year(days, year)
    async with connection.transaction():
        before = await _locked(connection, municipality)
        await connection.execute(_PUT_RAMADAN, before.id, year, *days, by.principal, to_datetime(now))
        was, said = (None if one is None else _days(one) for one in (before.ramadan.get(year), days))
        await _record(connection, before, "ramadan", str(year), was, said, by, now)
        return await calendar_of(connection, municipality)


_REMOVE_RAMADAN = "DELETE FROM ramadan_dates WHERE municipality_id = $1 AND hijri_year = $2"


async def remove_ramadan(
    connection: Connection, municipality: str, year: int, *, by: Actor, now: int
) -> StoredCalendar:
    """Take back what somebody said of the Ramadan of a Hijri year.

    Raises:
        NotFound: there is no such municipality, or nobody said anything of that year.
    """
    async with connection.transaction():
        before = await _locked(connection, municipality)
        if year not in before.ramadan:
            raise NotFound(
                "Ramadan entered by hand", str(year), "`nabd calendar show` shows what was entered"
            )
        await connection.execute(_REMOVE_RAMADAN, before.id, year)
        was = _days(before.ramadan[year])
        await _record(connection, before, "ramadan", str(year), was, None, by, now)
        return await calendar_of(connection, municipality)


def _ramadan_year(days: Days, year: int | None) -> int:
    """Return the Hijri year whose Ramadan is meant."""
    first, last = days
    try:
        year = year or hijri_year_of(first)
        foreseen = ramadan_of(year)
    except OverflowError:
        raise Invalid("first", "lies outside the calendar of Umm al-Qura") from None
    if max(abs((first - foreseen[0]).days), abs((last - foreseen[1]).days)) > MOVED_AT_MOST:
        raise Invalid("first", f"Ramadan {year} is foreseen from {foreseen[0]} to {foreseen[1]}")
    return year


async def _locked(connection: Connection, municipality: str) -> StoredCalendar:
    town = await get_municipality(connection, municipality)
    await connection.execute(_LOCK, town.id)
    return await calendar_of(connection, municipality)


def _days(days: Days) -> dict[str, str]:
    return {"first": str(days[0]), "last": str(days[1])}


async def _record(
    connection: Connection,
    calendar: StoredCalendar,
    verb: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    by: Actor,
    now: int,
) -> None:
    if before is not None and after is not None:
        before, after = audit.differing(before, after)
    await audit.record(
        connection,
        by=by,
        municipality=calendar.id,
        action=f"calendar.{verb}",
        subject=subject,
        before=before,
        after=after,
        now=now,
    )
