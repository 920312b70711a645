"""Working calendars of municipalities, put together from what is stored and what is foreseen. Reads only.

Without any row of its own a municipality has one: default hours on all days but its week-end, the public
holidays of the territory of its locale, and shorter hours in Ramadan where offices keep them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version

import asyncpg

from devices.time_zones import zone_named
from store.connection import Connection
from work.calendars.hours import DEFAULT_HOURS, DEFAULT_IN_RAMADAN, of_stored
from work.calendars.public_days import (
    SHORTER_IN_RAMADAN,
    hijri_year_of,
    public_holidays,
    ramadan_of,
    territory_of,
)
from work.calendars.working import DayHours, Days, WorkingCalendar

YEARS_AHEAD = 3
"""For so many years after the present one holidays and Ramadan are looked up."""
_DATA = " ".join(version(package) for package in ("tzdata", "holidays", "hijridate"))

_SELECT = """
SELECT m.id, m.name, m.time_zone, m.locale, m.weekend, c.hours, c.ramadan_hours,
    ARRAY(
        SELECT jsonb_build_array(d.day, d.working) FROM calendar_day AS d
        WHERE d.municipality_id = m.id ORDER BY d.day
    ) AS days,
    ARRAY(
        SELECT jsonb_build_array(r.hijri_year, r.first_day, r.last_day) FROM ramadan_dates AS r
        WHERE r.municipality_id = m.id ORDER BY r.hijri_year
    ) AS ramadan
FROM municipality AS m
LEFT JOIN work_calendar AS c ON c.municipality_id = m.id
WHERE $1::integer [] IS NULL OR m.id = ANY($1)
ORDER BY m.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCalendar:
    """What the working calendar of a municipality is made from.

    hours, ramadan_hours: None: the default. days: those changed by hand, whether people work then. ramadan:
    first and last day by Hijri year, where somebody entered them. digest: another when any of it is, or the
    data that holidays and clocks are reckoned by.
    """

    id: int
    municipality: str
    time_zone: str
    territory: str | None
    weekend: Sequence[int]
    hours: Mapping[int, DayHours] | None
    ramadan_hours: DayHours | None
    days: Mapping[date, bool]
    ramadan: Mapping[int, Days]
    digest: str

    def week(self) -> Mapping[int, DayHours]:
        """Return the hours by ISO day."""
        if self.hours is not None:
            return self.hours
        return {day: DEFAULT_HOURS for day in range(1, 8) if day not in self.weekend}

    def in_ramadan(self) -> DayHours | None:
        """Return the hours of a day in Ramadan; None: the same as else."""
        if self.ramadan_hours is None:
            return DEFAULT_IN_RAMADAN if self.territory in SHORTER_IN_RAMADAN else None
        return self.ramadan_hours or None

    def ramadans(self, years: range) -> dict[int, Days]:
        """Return the days of Ramadan by Hijri year, of all that touch these years."""
        first, last = hijri_year_of(date(years.start, 1, 1)), hijri_year_of(date(years.stop, 1, 1))
        return {year: self.ramadan.get(year, ramadan_of(year)) for year in range(first, last + 1)}

    def holidays(self, years: range) -> dict[date, str]:
        """Return public holidays with their names in English, without days made ones of work by hand."""
        found = {d: name for year in years for d, name in public_holidays(self.territory, year).items()}
        return {day: name for day, name in found.items() if not self.days.get(day, False)}

    def calendar(self, years: range) -> WorkingCalendar:
        """Return the working calendar, with the holidays of some years."""
        by_hand = {day for day, working in self.days.items() if not working}
        return WorkingCalendar(
            zone=zone_named(self.time_zone),
            hours=self.week(),
            ramadan_hours=self.in_ramadan(),
            ramadan=tuple(self.ramadans(years).values()),
            holidays=frozenset(by_hand | self.holidays(years).keys()),
            added=frozenset(day for day, working in self.days.items() if working),
        )


async def calendars(
    connection: Connection, municipalities: Sequence[int] | None = None
) -> dict[int, StoredCalendar]:
    """Return the calendars of municipalities by number; of all without any."""
    chosen = None if municipalities is None else list(municipalities)
    return {row["id"]: _stored(row) for row in await connection.fetch(_SELECT, chosen)}


_NAMES = "SELECT day, name FROM calendar_day WHERE municipality_id = $1"


async def named_days(connection: Connection, municipality: int) -> dict[date, str]:
    """Return what days that were changed by hand are called; a name may be empty."""
    return {row["day"]: row["name"] for row in await connection.fetch(_NAMES, municipality)}


def years_around(*days: date) -> range:
    """Return the years for which a calendar is asked, where it concerns these days."""
    return range(min(days).year, max(days).year + YEARS_AHEAD)


def _stored(row: asyncpg.Record) -> StoredCalendar:
    hours, in_ramadan = row["hours"], row["ramadan_hours"]
    said = [str(row[name]) for name in row.keys() if name not in ("id", "name")]  # noqa: SIM118 - a Record has no `in`
    return StoredCalendar(
        id=row["id"],
        municipality=row["name"],
        time_zone=row["time_zone"],
        territory=territory_of(row["locale"]),
        weekend=tuple(row["weekend"]),
        hours=None if hours is None else {int(day): of_stored(spans) for day, spans in hours.items()},
        ramadan_hours=None if in_ramadan is None else of_stored(in_ramadan),
        days={date.fromisoformat(day): working for day, working in row["days"]},
        ramadan={
            year: (date.fromisoformat(first), date.fromisoformat(last))
            for year, first, last in row["ramadan"]
        },
        digest=hashlib.sha256("\n".join([*said, _DATA]).encode()).hexdigest()[:16],
    )
