"""Since when a measurement has been good or not, whatever the order in which readings arrive."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.sweeps.arrays.good_times import GoodTimes
from rules.sweeps.arrays.received import received_by
from rules.sweeps.core.instants import NEVER
from tests.unit.rules.readings import BIN, MINUTE, NOON, Reading, at, columns_of

NAME = "fill_pct"


def taken(*readings: Reading, cuts: tuple[int, ...] = ()) -> GoodTimes:
    """Return what is known of bins 1 and 2 after some readings, taken in parts."""
    times = GoodTimes(BIN, 2, NAME)
    interval_us = np.full(len(readings), 10 * MINUTE, dtype=np.int64)
    received = received_by(columns_of(readings), interval_us, np.array([1, 2]), [NAME])
    start = 0
    for cut in (*sorted(cuts), len(readings)):
        times.take(received.part(start, cut))
        start = cut
    return times


def bad_since(*readings: Reading) -> float | None:
    """Return minutes after noon since when the measurement of bin 1 has been missing."""
    at_us = int(taken(*readings).bad_since[0])
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
    times = taken(good(0), missing(0))

    assert times.good_at[0] == NOON
    assert times.bad_since[0] == NEVER


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(1, 2), st.booleans()), max_size=12),
    st.lists(st.integers(0, 12), max_size=3),
)
def test_readings_say_the_same_however_they_are_cut(
    readings: list[tuple[int, int, bool]], cuts: list[int]
) -> None:
    told = [
        Reading(minute=minute, device=device, values={NAME: 40.0 if is_good else None}, received=number)
        for number, (minute, device, is_good) in enumerate(readings)
    ]

    one_by_one = taken(*told, cuts=tuple(range(len(told))))
    in_parts = taken(*told, cuts=tuple(cut for cut in cuts if cut <= len(told)))

    for name in ("good_at", "good_received_at", "bad_since"):
        assert getattr(in_parts, name).tolist() == getattr(one_by_one, name).tolist()
