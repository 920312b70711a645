"""Spans of the day on a local clock, as instants: night duty, quiet hours, hours in which a route counts.

Pure. A time of the day that a change of the clock leaves out is the instant of the change; one that comes
twice is the first of the two. Must not know what a span is for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from devices.instants import to_datetime, to_microseconds

DAY_MIN = 1440
ONE_DAY = timedelta(days=1)
MINUTE_US = 60_000_000
EVERY_DAY = frozenset(range(1, 8))
"""ISO days, 1 is Monday."""
WEEKEND, WORKDAYS = "weekend", "workdays"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalCalendar:
    """The clock of a municipality, and its ISO days of rest."""

    zone: ZoneInfo
    weekend: frozenset[int] = frozenset({6, 7})


def local(at: int, zone: ZoneInfo) -> datetime:
    """Return what a clock shows at an instant (microseconds since 1970-01-01Z)."""
    return to_datetime(at).astimezone(zone)


@lru_cache(maxsize=4096)
def instant_of(day: date, minute: int, zone: ZoneInfo) -> int:
    """Return the instant at which a clock shows a time of a day, in microseconds since 1970-01-01Z.

    Args:
        minute: after midnight, 0 to 1440; 1440 is the next midnight.
    """
    if minute >= DAY_MIN:
        day, minute = day + ONE_DAY, minute - DAY_MIN
    wall = datetime.combine(day, time(minute // 60, minute % 60), tzinfo=zone)
    found = to_microseconds(wall.astimezone(UTC))
    if local(found, zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return found
    return _change_between(to_microseconds(wall.replace(fold=1).astimezone(UTC)), found, zone)


def _change_between(before: int, after: int, zone: ZoneInfo) -> int:
    """Return the instant at which the offset changes between two others, to the minute."""
    first = local(before, zone).utcoffset()
    low, high = before // MINUTE_US, after // MINUTE_US
    while high - low > 1:
        middle = (low + high) // 2
        if local(middle * MINUTE_US, zone).utcoffset() == first:
            low = middle
        else:
            high = middle
    return high * MINUTE_US


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSpan:
    """A span of the day, on some days of the week.

    start_min, end_min: after midnight, the end not included; where the end is no later than the start the
    span ends on the next day. days: ISO days on which it begins.
    """

    start_min: int
    end_min: int
    days: frozenset[int] = EVERY_DAY

    def on(self, day: date, zone: ZoneInfo) -> tuple[int, int]:
        """Return from when until when the span that begins on a day lasts, microseconds since 1970-01-01Z."""
        last = day if self.end_min > self.start_min else day + ONE_DAY
        return instant_of(day, self.start_min, zone), instant_of(last, self.end_min, zone)

    def around(self, at: int, zone: ZoneInfo) -> tuple[int, int] | None:
        """Return the span that an instant lies in, None where it lies in none."""
        today = local(at, zone).date()
        for day in (today, today - ONE_DAY):
            if day.isoweekday() in self.days:
                start, end = self.on(day, zone)
                if start <= at < end:
                    return start, end
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalHours:
    """Hours of some days, before it is known which days are those of rest.

    minutes: from and until, see LocalSpan; None: the whole day. days: ISO days, `weekend` or `workdays`.
    """

    minutes: tuple[int, int] | None = None
    days: frozenset[int] | str = EVERY_DAY

    def span(self, weekend: frozenset[int]) -> LocalSpan:
        """Return them as a span where these days are those of rest."""
        start, end = self.minutes or (0, DAY_MIN)
        found = {WEEKEND: weekend, WORKDAYS: EVERY_DAY - weekend}
        days = found[self.days] if isinstance(self.days, str) else self.days
        return LocalSpan(start_min=start, end_min=end, days=days)


def free_at(at: int, spans: Sequence[LocalSpan], zone: ZoneInfo) -> int:
    """Return the first instant from `at` on that lies in none of the spans; after a week without one `at`."""
    found = at
    while found - at <= 8 * DAY_MIN * MINUTE_US:
        ends = [span[1] for one in spans if (span := one.around(found, zone)) is not None]
        if not ends:
            return found
        found = max(ends)
    return at


def shifted(at: int, after_s: Sequence[float], spans: Sequence[LocalSpan], zone: ZoneInfo) -> list[float]:
    """Return steps, in seconds after `at`, so that none falls into a span.

    The whole sequence begins when the span that `at` lies in ends; a later step that falls into the next one
    waits until its end.
    """
    if not spans:
        return list(after_s)
    begin = free_at(at, spans, zone)
    return [(free_at(begin + round(s * 1e6), spans, zone) - at) / 1e6 for s in after_s]
