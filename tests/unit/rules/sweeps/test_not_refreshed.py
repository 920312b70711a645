"""Which measurements are overdue, without a database: the decision that service and benchmark share."""

from __future__ import annotations

import numpy as np

from alerts.transition import Severity
from rules.definition.families import NotRefreshed
from rules.sweeps.core import not_refreshed
from rules.sweeps.core.not_refreshed import LastGoodValues

MINUTE = 60_000_000
FAMILY = NotRefreshed(measurement="fill_pct", missing=6.0, at_least_us=60 * MINUTE, severity=Severity.WARNING)


def overdue(
    last_good: float, received: float, at: float, interval: float = 10, good_received: float = 0
) -> bool:
    def one(minute: float) -> not_refreshed.Ints:
        return np.array([round(minute * MINUTE)], dtype=np.int64)

    good = LastGoodValues(observed_at=one(last_good), received_at=one(good_received))
    found = not_refreshed.is_overdue(FAMILY, good, one(received), one(interval), round(at * MINUTE))
    return bool(found[0])


def test_measurement_is_overdue_after_so_many_intervals_and_at_least_so_long() -> None:
    assert not overdue(0, 55, 59)
    assert overdue(0, 55, 60)
    assert not overdue(0, 55, 60, interval=15)
    assert not overdue(0, 55, 59, interval=1)


def test_silent_device_is_not_told_for_its_measurements() -> None:
    assert overdue(0, 45, 64)
    assert not overdue(0, 45, 65)


def test_value_that_came_just_now_from_a_clock_hours_behind_is_refreshed() -> None:
    assert not overdue(-120, 55, 60, good_received=1)
    assert overdue(-120, 55, 61, good_received=1)


def test_alert_is_dated_after_the_first_bad_reading_when_a_gap_came_before() -> None:
    def minutes(*values: int) -> not_refreshed.Ints:
        return np.array(values, dtype=np.int64) * MINUTE

    told = not_refreshed.alert_from(minutes(0, 0), minutes(10, 200), minutes(60, 60))
    assert told.tolist() == [60 * MINUTE, 200 * MINUTE]
