"""Which weeks must have a partition."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from store.partitions import AHEAD, EPOCH, expired, wanted
from store.tables import Resolution, Table
from tests.readings_tables import KITES

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def kept(days: int) -> Table:
    """Return the table of kites, kept for so many days."""
    return replace(KITES, retention=days * DAY, reach=days * DAY)


def microseconds(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def test_partitions_are_weeks_from_monday_to_monday() -> None:
    weeks = wanted(kept(7), microseconds(NOON))

    assert [week.name for week in weeks] == ["kite_reading_20261109", "kite_reading_20261116"]
    assert weeks[0].end == weeks[1].start == datetime(2026, 11, 16, tzinfo=UTC)


def test_next_week_is_wanted_two_days_before_it_begins() -> None:
    saturday = datetime(2026, 11, 21, tzinfo=UTC)
    before = wanted(kept(1), microseconds(saturday) - 1)

    assert len(wanted(kept(1), microseconds(saturday))) == len(before) + 1


@given(
    now=st.timedeltas(timedelta(), 80_000 * DAY).map(lambda ago: NOON + 40_000 * DAY - ago),
    days=st.integers(min_value=1, max_value=3650),
)
def test_weeks_cover_the_retention_window_and_the_time_ahead_without_gap(now: datetime, days: int) -> None:
    weeks = wanted(kept(days), microseconds(now))

    assert weeks[0].start <= now - days * DAY
    assert weeks[-1].end > now + AHEAD
    assert all(a.end == b.start for a, b in pairwise(weeks))


def test_week_expires_once_every_reading_in_it_is_past_retention() -> None:
    names = ["kite_reading_20261102", "kite_reading_20261109", "kite_reading_20261116", "kite_reading_other"]

    assert expired(kept(7), names, microseconds(NOON)) == ["kite_reading_20261102"]
    assert expired(kept(100), names, microseconds(NOON)) == []


def test_rollups_have_partitions_from_where_readings_can_still_come() -> None:
    hours = replace(KITES, resolution=Resolution.HOUR, retention=731 * DAY, reach=90 * DAY)

    quarters = wanted(hours, microseconds(NOON))

    assert [quarter.name for quarter in quarters] == ["kite_hour_20260727", "kite_hour_20261026"]
    assert expired(hours, ["kite_hour_20250101", "kite_hour_20250401"], microseconds(NOON)) == []
    assert expired(hours, ["kite_hour_20240101"], microseconds(NOON)) == ["kite_hour_20240101"]
