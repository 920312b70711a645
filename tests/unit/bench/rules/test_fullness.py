"""When bins would truly be full: labels of a forecast, from a trace of what was thrown in."""

from __future__ import annotations

import numpy as np
import pytest

from bench.rules.fullness import FillTrace, brought_pct, labels, time_to_full_s
from bench.rules.matching import fault_of

STEP_S = 300
DAY_STEPS = 288
HOUR_S = 3600.0
MONDAY_US = 4 * 86_400_000_000
"""1970 began with a Thursday."""


def filling(
    rate_per_day: float, days: float, *, start: float = 10.0, emptied_at_day: float = -1.0
) -> FillTrace:
    """Return a bin that fills steadily, to be emptied once."""
    n = round(days * DAY_STEPS)
    fill = start + rate_per_day / DAY_STEPS * np.arange(n)
    emptied = round(emptied_at_day * DAY_STEPS)
    if emptied >= 0:
        fill[emptied:] -= fill[emptied] - 2.0
    return FillTrace(
        at=np.arange(n, dtype=np.int64) * STEP_S * 1_000_000,
        fill_pct=np.minimum(fill, 112.0),
        away=np.zeros(n, dtype=bool),
        blind=np.zeros(n, dtype=bool),
    )


def test_time_to_full_is_counted_as_if_nobody_emptied_the_bin() -> None:
    emptied = time_to_full_s(filling(25, 4, emptied_at_day=2.0))

    assert emptied[0] == pytest.approx(75 / 25 * 24 * HOUR_S, rel=0.01)
    assert emptied[2 * DAY_STEPS] == pytest.approx(83 / 25 * 24 * HOUR_S, rel=0.02)


def test_full_bin_is_full() -> None:
    left = time_to_full_s(filling(40, 3))

    assert left[-1] == 0


def test_emptying_takes_nothing_from_what_was_thrown_in() -> None:
    brought = brought_pct(filling(25, 4, emptied_at_day=2.0))

    assert brought[-1] == pytest.approx(100, rel=0.01)


def test_bin_that_nobody_used_is_counted_as_if_somebody_had() -> None:
    trace = filling(24, 6)
    trace.fill_pct[3 * DAY_STEPS :] = trace.fill_pct[3 * DAY_STEPS]
    trace.away[3 * DAY_STEPS :] = True

    assert brought_pct(trace)[-1] == pytest.approx(6 * 24, rel=0.02)


def test_label_begins_a_day_before_and_is_honest_from_thirty_hours_before() -> None:
    trace = filling(24, 4)
    trace.at[:] += MONDAY_US
    (line,) = labels("B", trace, ())

    fault = fault_of(line, MONDAY_US + 4 * 86_400_000_000)

    full_at = MONDAY_US + 75 / 24 * 86_400e6
    assert fault.start == pytest.approx(full_at - 24 * HOUR_S * 1e6, abs=2 * STEP_S * 1e6)
    assert fault.earliest == pytest.approx(full_at - 30 * HOUR_S * 1e6, abs=2 * STEP_S * 1e6)
    assert fault.detectable


def test_bin_must_be_foretold_in_its_first_week_too_weekend_or_not() -> None:
    assert [line.detectable for line in labels("B", filling(24, 4), ())] == [True]


def test_bin_that_could_not_be_seen_for_long_enough_need_not_be_told() -> None:
    blind = filling(24, 4)
    blind.blind[2 * DAY_STEPS :] = True

    assert [line.detectable for line in labels("B", blind, ())] == [False]
    silent = (round(2.0 * 86_400e6), round(4 * 86_400e6))
    assert [line.detectable for line in labels("B", filling(24, 4), [silent])] == [False]


def test_bin_of_which_nobody_knows_how_fast_it_fills_need_not_be_told() -> None:
    assert [line.detectable for line in labels("B", filling(90, 0.9), ())] == [False]
