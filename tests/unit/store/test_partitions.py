"""Which weeks must have a partition."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from store.partitions import AHEAD, EPOCH, expired, wanted

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def test_partitions_are_weeks_from_monday_to_monday() -> None:
    weeks = wanted("kite_reading", microseconds(NOON), 7 * DAY)

    assert [week.name for week in weeks] == ["kite_reading_20261109", "kite_reading_20261116"]
    assert weeks[0].end == weeks[1].start == datetime(2026, 11, 16, tzinfo=UTC)


def test_next_week_is_wanted_two_days_before_it_begins() -> None:
    saturday = datetime(2026, 11, 21, tzinfo=UTC)
    before = wanted("t", microseconds(saturday) - 1, DAY)

    assert len(wanted("t", microseconds(saturday), DAY)) == len(before) + 1


@given(
    now=st.timedeltas(timedelta(), 80_000 * DAY).map(lambda ago: NOON + 40_000 * DAY - ago),
    days=st.integers(min_value=1, max_value=3650),
)
def test_weeks_cover_the_retention_window_and_the_time_ahead_without_gap(now: datetime, days: int) -> None:
    weeks = wanted("t", microseconds(now), days * DAY)

    assert weeks[0].start <= now - days * DAY
    assert weeks[-1].end > now + AHEAD
    assert all(a.end == b.start for a, b in pairwise(weeks))


def test_week_expires_once_every_reading_in_it_is_past_retention() -> None:
    names = ["t_20261102", "t_20261109", "t_20261116", "t_other"]

    assert expired("t", names, microseconds(NOON), 7 * DAY) == ["t_20261102"]
    assert expired("t", names, microseconds(NOON), 100 * DAY) == []
