"""A working calendar as people read it: hours, the coming days that are not like their weekday, Ramadan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from devices.instants import to_datetime
from devices.time_zones import zone_named
from store.connection import Connection
from work.calendars.hours import hours_text, week_text
from work.calendars.public_days import public_holidays
from work.calendars.stored import StoredCalendar, named_days

SHOWN = timedelta(days=731)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A day that is not like its weekday. by_hand: somebody entered it; else it is a public holiday."""

    day: date
    working: bool
    name: str
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RamadanDays:
    """Ramadan of a Hijri year. by_hand: somebody entered it; else by the calendar of Umm al-Qura."""

    year: int
    first: date
    last: date
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCalendar:
    """When people of a municipality work.

    hours: by name of the day. ramadan_hours: None: the same as else.
    """

    municipality: str
    time_zone: str
    hours: Mapping[str, str]
    default_hours: bool
    ramadan_hours: str | None
    days: Sequence[CalendarDay]
    ramadan: Sequence[RamadanDays]


async def shown(
    connection: Connection, found: StoredCalendar, now: int, language: str = "en"
) -> ShownCalendar:
    """Return a calendar as people read it, from its today on.

    Args:
        now: microseconds since 1970-01-01Z.
        language: of the names of public holidays.
    """
    today = to_datetime(now).astimezone(zone_named(found.time_zone)).date()
    until = today + SHOWN
    years = range(today.year, until.year + 1)
    names = await named_days(connection, found.id)
    foreseen = {d: n for year in years for d, n in public_holidays(found.territory, year, language).items()}
    in_ramadan = found.in_ramadan()
    return ShownCalendar(
        municipality=found.municipality,
        time_zone=found.time_zone,
        hours=week_text(found.week()),
        default_hours=found.hours is None,
        ramadan_hours=None if in_ramadan is None else hours_text(in_ramadan),
        days=[
            CalendarDay(
                day=day,
                working=found.days.get(day, False),
                name=names.get(day) or foreseen.get(day, ""),
                by_hand=day in found.days,
            )
            for day in sorted(foreseen.keys() | found.days.keys())
            if today <= day <= until
        ],
        ramadan=[
            RamadanDays(year=year, first=first, last=last, by_hand=year in found.ramadan)
            for year, (first, last) in found.ramadans(years).items()
            if last >= today
        ],
    )
