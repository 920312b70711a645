"""On which days, and at which counts, preventive work is due. Pure."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from math import floor
from typing import Literal

PlanUnit = Literal["weeks", "months", "counter"]


def occurrence(first: date, every: int, unit: PlanUnit, number: int) -> date:
    """Return the day of an occurrence; a month without such a day has it on its last.

    Args:
        number: of the occurrence, that of `first` is 0.
    """
    if unit == "weeks":
        return first + timedelta(weeks=every * number)
    month = first.month - 1 + every * number
    year, month = first.year + month // 12, month % 12 + 1
    return date(year, month, min(first.day, calendar.monthrange(year, month)[1]))


def last_until(first: date, every: int, unit: PlanUnit, until: date) -> date | None:
    """Return the last occurrence on a day or before it; None where the first comes later."""
    if until < first:
        return None
    days = (until - first).days
    number = days // 7 // every if unit == "weeks" else max(days // 31 // every, 0)
    while occurrence(first, every, unit, number + 1) <= until:
        number += 1
    return occurrence(first, every, unit, number)


def longest_ahead(every: int, unit: PlanUnit) -> int:
    """Return how many days before its day an order can be made: one is never looked for before the day of
    the one before it has passed."""
    return every * (7 if unit == "weeks" else 28) - 1


def next_count(every: float, count: float) -> float:
    """Return at which count, a multiple of `every`, work is due next."""
    return (floor(count / every) + 1) * every
