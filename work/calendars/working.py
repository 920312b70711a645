"""Working time on a local calendar: what lies between two instants, and when so much of it is over. Pure.

Instants are UTC; hours are those that the local clock shows, with its changing offset. Must not know where
hours, holidays and Ramadan come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
DAY_MIN = 1440
LOOKED_AHEAD_DAYS = 3_660
"""So many days are looked at for working time, about ten years."""

DayHours = Sequence[tuple[int, int]]
"""From and until, minutes after midnight, the end not included; in order, none touches the next."""
Days = tuple[date, date]
"""The first and the last day of a span, both included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingCalendar:
    """When people of a municipality work.

    hours: by ISO day, 1 is Monday; a day that is missing is one of rest. ramadan_hours: in their place on the
    days of `ramadan`, but for days that are shorter anyway; None: the same hours. holidays: days of rest.
    added: days on which people work although they rest on that weekday, in the hours of the day before it
    that is one of work.
    """

    zone: ZoneInfo
    hours: Mapping[int, DayHours]
    ramadan_hours: DayHours | None = None
    ramadan: Sequence[Days] = ()
    holidays: frozenset[date] = field(default_factory=frozenset)
    added: frozenset[date] = field(default_factory=frozenset)

    def of(self, day: date) -> DayHours:
        """Return the working hours of a local day."""
        if day in self.holidays:
            return ()
        hours = self.hours.get(day.isoweekday(), ())
        if not hours and day in self.added:
            hours = self._ordinary(day.isoweekday())
        if hours and self.ramadan_hours is not None and any(a <= day <= b for a, b in self.ramadan):
            return min(self.ramadan_hours, hours, key=_minutes)
        return hours

    def _ordinary(self, weekday: int) -> DayHours:
        before = [(weekday - 1 - back) % 7 + 1 for back in range(1, 7)]
        return next((self.hours[one] for one in before if self.hours.get(one)), ())


def _minutes(hours: DayHours) -> int:
    return sum(until - from_ for from_, until in hours)


def add_working(calendar: WorkingCalendar | None, start: datetime, duration: timedelta) -> datetime | None:
    """Return the first instant before which so much working time has passed since `start`.

    Args:
        calendar: None: around the clock.

    Returns:
        None where so much is not reached within LOOKED_AHEAD_DAYS.
    """
    if calendar is None or duration <= timedelta(0):
        return start + max(duration, timedelta(0))
    left = duration
    last = start + timedelta(days=LOOKED_AHEAD_DAYS)
    for from_at, until_at in _spans(calendar, start, last):
        if until_at - from_at >= left:
            return from_at + left
        left -= until_at - from_at
    return None


def working_between(calendar: WorkingCalendar | None, start: datetime, end: datetime) -> timedelta:
    """Return how much working time lies between two instants; nothing where the end is no later."""
    if end <= start:
        return timedelta(0)
    if calendar is None:
        return end - start
    return sum((b - a for a, b in _spans(calendar, start, end)), timedelta(0))


def _spans(calendar: WorkingCalendar, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the spans of working time between two instants, in order, none over another."""
    day, last = start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    reached = start
    while day <= last:
        for from_min, until_min in calendar.of(day):
            from_at = max(instant_of(day, from_min, calendar.zone), reached)
            until_at = min(instant_of(day, until_min, calendar.zone), end)
            if from_at < until_at:
                yield from_at, until_at
                reached = until_at
        day += ONE_DAY


@lru_cache(maxsize=8192)
def instant_of(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return when a local clock shows a time of a day, UTC.

    A time that comes twice is the first of the two; one that a change of the clock skips is what the clock
    would have shown without the change.

    Args:
        minute: after midnight, 0 to 1440; 1440 is the next midnight.
    """
    if minute >= DAY_MIN:
        day, minute = day + ONE_DAY, minute - DAY_MIN
    return datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone).astimezone(UTC)
