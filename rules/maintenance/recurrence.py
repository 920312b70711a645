"""Windows that come again on a local calendar, as spans of event time. Pure.

Local times are those of a municipality's clock, by the pinned zone data. Where a clock is put forward, a time
that does not exist stands for the moment at which it was put; where it is put back, a time that exists twice
is the first as a beginning and the second as an end, so that a span holds whatever the clock shows in it.
Must not know what is worked on, nor what rules do meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)

Cycle = Literal["week", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """On which local days, and from when to when by the local clock.

    days: of the week (ISO: 1 is Monday) or of the month; a month without such a day has none. until_time: not
    included; at or before from_time it is that of the next day. from_date, until_date: the first and the last
    day on which one may begin; None: since ever, for ever.
    """

    every: Cycle
    days: Sequence[int]
    from_time: time
    until_time: time
    from_date: date | None = None
    until_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """One of the windows: the local day on which it begins, and its span; until_at is not included."""

    day: date
    from_at: datetime
    until_at: datetime


def recurring(recurrence: Recurrence, zone: ZoneInfo, first: date, last: date) -> Iterator[Recurring]:
    """Yield the windows that begin on the local days from first to last, both included, in their order.

    A window of which the clock skips every moment is left out.
    """
    day = first if recurrence.from_date is None else max(first, recurrence.from_date)
    last = last if recurrence.until_date is None else min(last, recurrence.until_date)
    passes_midnight = recurrence.until_time <= recurrence.from_time
    while day <= last:
        if _number(recurrence.every, day) in recurrence.days:
            end = day + DAY if passes_midnight else day
            start_at = _instant(datetime.combine(day, recurrence.from_time), zone, later=False)
            until_at = _instant(datetime.combine(end, recurrence.until_time), zone, later=True)
            if start_at < until_at:
                yield Recurring(day=day, from_at=start_at, until_at=until_at)
        day += DAY


def local_day(at: datetime, zone: ZoneInfo) -> date:
    """Return the local day of an instant."""
    return at.astimezone(zone).date()


def _number(every: Cycle, day: date) -> int:
    return day.isoweekday() if every == "week" else day.day


def _instant(local: datetime, zone: ZoneInfo, *, later: bool) -> datetime:
    """Return when the local clock shows a time; `later`: the second time where it does so twice."""
    first, second = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    # In a gap the two are exchanged (PEP 495): the offset after it leads to an instant before it.
    if first <= second:
        return second if later else first
    return _put_forward(second, first, zone)


def _put_forward(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment between two instants, to the second, at which the clock of a zone is put forward."""
    offset = after.astimezone(zone).utcoffset()
    skipped, reached = 0, round((after - before).total_seconds())
    while reached - skipped > 1:
        middle = (skipped + reached) // 2
        is_after = (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset
        skipped, reached = (skipped, middle) if is_after else (middle, reached)
    return before + timedelta(seconds=reached)
