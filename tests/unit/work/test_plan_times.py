"""When preventive work is due."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from work.preventive.plan_times import PlanUnit, last_until, next_count, occurrence

FIRST = date(2026, 8, 31)


@pytest.mark.parametrize(
    ("every", "unit", "number", "day"),
    [
        (6, "months", 0, FIRST),
        (6, "months", 1, date(2027, 2, 28)),
        (6, "months", 2, date(2027, 8, 31)),
        (1, "months", 18, date(2028, 2, 29)),
        (2, "weeks", 1, date(2026, 9, 14)),
    ],
)
def test_occurrences_keep_the_day_of_the_month(every: int, unit: PlanUnit, number: int, day: date) -> None:
    assert occurrence(FIRST, every, unit, number) == day


units: st.SearchStrategy[PlanUnit] = st.sampled_from(["weeks", "months"])


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), units, st.dates(date(2020, 1, 1), date(2032, 1, 1)))
def test_the_last_occurrence_is_the_last(every: int, unit: PlanUnit, until: date) -> None:
    found = last_until(FIRST, every, unit, until)
    if found is None:
        assert until < FIRST
        return
    days = [occurrence(FIRST, every, unit, number) for number in range(300)]
    assert found == max(day for day in days if day <= until)


def test_counts_are_due_at_multiples() -> None:
    assert [next_count(4_000, value) for value in (0, 3_999.9, 4_000, 9_000)] == [4_000, 4_000, 8_000, 12_000]
