"""Weeks and months of a municipality's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from devices.time_zones import zone_named
from work.figures.span import FigurePeriod, PeriodKind, cut, period_name, read_week, week, week_name

BEIRUT = zone_named("Asia/Beirut")


def span(begin: datetime, end: datetime) -> FigurePeriod:
    return FigurePeriod(from_at=begin, until_at=end)


def test_a_span_that_is_not_cut_is_one_period() -> None:
    whole = span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    assert cut(whole, None, BEIRUT) == [whole]


def test_the_week_in_which_clocks_change_is_an_hour_longer() -> None:
    # Lebanon's clocks go back on 25 October 2026.
    of_change = week(date(2026, 10, 19), BEIRUT)
    assert of_change.until_at - of_change.from_at == timedelta(days=7, hours=1)


def test_months_begin_at_local_midnight_and_the_ends_are_cut_off() -> None:
    whole = span(datetime(2026, 10, 20, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    found = cut(whole, PeriodKind.MONTH, BEIRUT)

    assert [one.from_at for one in found] == [
        whole.from_at,
        datetime(2026, 10, 31, 22, tzinfo=UTC),
        datetime(2026, 11, 30, 22, tzinfo=UTC),
    ]
    assert found[-1].until_at == whole.until_at


def test_a_span_that_begins_on_a_monday_has_no_empty_week() -> None:
    first = week(date(2026, 11, 23), BEIRUT)
    assert cut(first, PeriodKind.WEEK, BEIRUT) == [first]


def test_too_many_periods_are_refused() -> None:
    with pytest.raises(ValueError, match="130 weeks"):
        cut(span(datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)), PeriodKind.WEEK, BEIRUT)


def test_a_week_is_read_as_it_is_written() -> None:
    assert read_week("2026-W48") == date(2026, 11, 23)
    assert week_name(date(2026, 11, 23)) == "2026-W48"


@pytest.mark.parametrize("text", ["2026-W54", "2026-48", "W48", "0000-W01", ""])
def test_what_is_no_week_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="week"):
        read_week(text)


def test_a_period_is_named_by_the_local_clock() -> None:
    monday = datetime(2026, 11, 22, 22, tzinfo=UTC)

    assert period_name(monday, PeriodKind.WEEK, BEIRUT) == "2026-W48"
    assert period_name(datetime(2026, 10, 31, 22, tzinfo=UTC), PeriodKind.MONTH, BEIRUT) == "2026-11"
