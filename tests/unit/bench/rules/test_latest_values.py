"""Since when a measurement has been good or not, whatever the order in which readings arrive."""

from __future__ import annotations

import numpy as np

from bench.rules.latest_values import NEVER, LatestValues
from tests.unit.rules.readings import BIN, MINUTE, NOON, Reading, at, columns_of

NAME = "fill_pct"


def heard(*readings: Reading) -> LatestValues:
    """Return what is known of one bin after some readings."""
    newest = LatestValues.of(BIN, [1], [NAME])
    columns = columns_of(readings)
    interval_us = np.full(len(readings), 10 * MINUTE, dtype=np.int64)
    for row in range(len(readings)):
        newest.take(columns, interval_us, row)
    return newest


def bad_since(*readings: Reading) -> float | None:
    """Return minutes after noon since when the measurement has been missing."""
    at_us = int(heard(*readings).bad_since[NAME][0])
    return None if at_us == NEVER else (at_us - NOON) / MINUTE


def good(minute: float) -> Reading:
    return at(minute, fill_pct=40)


def missing(minute: float) -> Reading:
    return at(minute, temperature_c=20)


def marked(minute: float) -> Reading:
    return at(minute, marked=(NAME,), fill_pct=40)


def test_device_never_heard_is_missing_nothing() -> None:
    assert bad_since() is None


def test_measurement_is_bad_since_the_first_reading_without_it() -> None:
    assert bad_since(good(0), missing(10), missing(20)) == 10
    assert bad_since(good(0), marked(10), missing(20)) == 10


def test_measurement_is_bad_since_the_first_reading_after_a_gap() -> None:
    assert bad_since(good(0), missing(300), missing(310)) == 300


def test_measurement_never_good_is_bad_since_the_first_reading() -> None:
    assert bad_since(missing(10), missing(20)) == 10


def test_measurement_is_bad_no_more_once_it_is_good_again() -> None:
    assert bad_since(good(0), missing(10), good(20)) is None
    assert bad_since(good(0), missing(10), good(20), missing(30)) == 30


def test_backlog_without_it_dates_it_back() -> None:
    assert bad_since(good(0), missing(30), missing(10)) == 10


def test_backlog_before_the_last_good_value_changes_nothing() -> None:
    assert bad_since(good(20), missing(30), missing(10)) == 30
    assert bad_since(good(20), missing(10)) is None


def test_good_value_of_a_backlog_ends_only_what_was_bad_before_it() -> None:
    assert bad_since(good(0), missing(30), good(20)) == 30
    assert bad_since(good(0), missing(10), missing(30), good(20)) == 30


def test_repeated_instant_that_was_good_stays_good() -> None:
    newest = heard(good(0), missing(0))

    assert newest.good_at[NAME][0] == NOON
    assert newest.bad_since[NAME][0] == NEVER
