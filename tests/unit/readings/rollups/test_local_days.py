"""In which local days hours lie, where clocks are set and where days are not 24 hours long."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from devices.instants import to_microseconds
from readings.rollups.hours import Spans
from readings.rollups.local_days import LocalDay, days_of_spans
from tests.unit.readings.rollups.streams import HOUR


def days(zone: str, since: datetime, hours: int, device: int = 1) -> list[LocalDay]:
    first = to_microseconds(since) // HOUR
    spans = Spans(
        device_id=np.array([device], dtype=np.int32), since=np.array([first]), until=np.array([first + hours])
    )
    return days_of_spans(spans, {device: zone})


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Beirut", date(2026, 3, 29), 23),
        ("Asia/Beirut", date(2026, 10, 24), 25),
        # In Ramadan Morocco's clock goes back an hour, and afterwards forth again.
        ("Africa/Casablanca", date(2026, 2, 15), 25),
        ("Africa/Casablanca", date(2026, 3, 22), 23),
        ("Europe/Paris", date(2026, 6, 1), 24),
        ("Asia/Kolkata", date(2026, 6, 1), 24),
    ],
)
def test_day_is_as_long_as_the_clock_makes_it(zone: str, day: date, hours: int) -> None:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)

    (found,) = days(zone, noon, 1)

    assert found.date == day
    assert found.until - found.since == timedelta(hours=hours)
    assert found.since <= noon < found.until


def test_hours_across_midnight_lie_in_two_days() -> None:
    found = days("Asia/Beirut", datetime(2026, 6, 1, 20, tzinfo=UTC), 2)

    assert [day.date for day in found] == [date(2026, 6, 1), date(2026, 6, 2)]
    assert found[0].until == found[1].since == datetime(2026, 6, 1, 21, tzinfo=UTC)
