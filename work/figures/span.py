"""Spans of time cut into weeks or months of a municipality's clock. Pure.

A week begins on Monday at midnight, whatever the week-end is. Must not know what is counted in them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

MOST_PERIODS = 130
"""In one answer: two and a half years of weeks."""
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


class PeriodKind(StrEnum):
    """What a span is cut into."""

    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class FigurePeriod:
    """From an instant until another one, which is not included; UTC."""

    from_at: datetime
    until_at: datetime

    def holds(self, instant: datetime | None) -> bool:
        """Tell whether something happened in it."""
        return instant is not None and self.from_at <= instant < self.until_at


def cut(span: FigurePeriod, per: PeriodKind | None, zone: ZoneInfo) -> list[FigurePeriod]:
    """Return the weeks or months of a span, the first and the last cut off where it begins and ends.

    Raises:
        ValueError: they are more than MOST_PERIODS.
    """
    if per is None:
        return [span]
    edges = [span.from_at]
    for edge in _edges(span.from_at, per, zone):
        if edge >= span.until_at:
            break
        if len(edges) == MOST_PERIODS:
            raise ValueError(f"is more than {MOST_PERIODS} {per}s")
        edges.append(edge)
    ends = [*edges[1:], span.until_at]
    return [FigurePeriod(from_at=a, until_at=b) for a, b in zip(edges, ends, strict=True)]


def _edges(after: datetime, per: PeriodKind, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the beginnings of the weeks or months after an instant."""
    day = after.astimezone(zone).date()
    first = monday_of(day) if per is PeriodKind.WEEK else day.replace(day=1)
    while True:
        first = first + timedelta(days=7) if per is PeriodKind.WEEK else _next_month(first)
        yield midnight(first, zone)


def _next_month(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def monday_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day begins on a local clock, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def week(monday: date, zone: ZoneInfo) -> FigurePeriod:
    """Return the week that begins on a Monday."""
    return FigurePeriod(from_at=midnight(monday, zone), until_at=midnight(monday + timedelta(days=7), zone))


def period_name(begins: datetime, per: PeriodKind, zone: ZoneInfo) -> str:
    """Return the week or month in which a period begins on a local clock: 2026-W48, 2026-11."""
    day = begins.astimezone(zone).date()
    return week_name(monday_of(day)) if per is PeriodKind.WEEK else f"{day:%Y-%m}"


def read_week(text: str) -> date:
    """Return the Monday of an ISO week such as 2026-W48.

    Raises:
        ValueError: it is none.
    """
    found = _WEEK.fullmatch(text)
    if found is None:
        raise ValueError("is a week such as 2026-W48")
    try:
        monday = date.fromisocalendar(int(found[1]), int(found[2]), 1)
    except ValueError:
        raise ValueError(f"{text} is a week that the year does not have") from None
    if not 1900 < monday.year < 9998:
        raise ValueError("is a week of the years 1901 to 9997")
    return monday


def week_name(monday: date) -> str:
    """Return a week as it is asked for: 2026-W48."""
    year, number, _ = monday.isocalendar()
    return f"{year:04}-W{number:02}"
