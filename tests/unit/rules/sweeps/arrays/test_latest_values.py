"""The newest reading of each device in arrays is what table `latest` would hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings, received_by
from rules.sweeps.core.instants import FAR_AWAY
from tests.unit.rules.readings import BIN, MINUTE, NOON, Reading, columns_of

NAME = "fill_pct"
READINGS = st.lists(st.tuples(st.integers(0, 8), st.integers(1, 3), st.integers(0, 1)), max_size=15)


def received(readings: list[tuple[int, int, int]]) -> ReceivedReadings:
    """Return readings (minute observed, device, quality) that arrived a minute apart; the value counts."""
    told = [
        Reading(minute=m, device=d, values={NAME: float(n)}, received=n, marked=(NAME,) if bad else ())
        for n, (m, d, bad) in enumerate(readings)
    ]
    interval_us = np.arange(len(told), dtype=np.int64) * MINUTE
    return received_by(columns_of(told), interval_us, np.array([3, 1]), [NAME])


@settings(deadline=None)
@given(READINGS)
def test_newest_observation_is_kept_and_of_equal_ones_the_last(readings: list[tuple[int, int, int]]) -> None:
    latest = LatestValues(BIN, 2, [NAME])

    latest.take(received(readings))

    for row, device in enumerate([3, 1]):
        own = [(m, n, bad) for n, (m, d, bad) in enumerate(readings) if d == device]
        if not own:
            assert latest.received_at[row] < 0
            continue
        minute, number, bad = max(own)
        assert latest.received_at[row] == NOON + max(n for _, n, _ in own) * MINUTE
        assert latest.observed_at[row] == NOON + minute * MINUTE
        assert latest.interval_us[row] == number * MINUTE
        value = latest.good(NAME)[row]
        assert np.isnan(value) if bad else value == number


@settings(deadline=None)
@given(READINGS, st.lists(st.integers(-1, 16), max_size=4))
def test_pending_readings_are_taken_once_and_in_order(
    readings: list[tuple[int, int, int]], instants: list[int]
) -> None:
    all_of_them = received(readings)
    pending = PendingReadings()
    half = len(all_of_them) // 2
    pending.add(all_of_them.part(0, half))
    pending.add(all_of_them.part(half, len(all_of_them)))

    taken: list[int] = []
    for minute in sorted(instants):
        at = NOON + minute * MINUTE
        seen = [int(r) for part in pending.up_to(at) for r in part.received_at]
        assert [int(r) for part in pending.take(at) for r in part.received_at] == seen
        taken += seen
        assert all(r <= at for r in taken)
        assert pending.first_at > at

    left = [int(r) for part in pending.take(FAR_AWAY) for r in part.received_at]
    assert taken + left == all_of_them.received_at.tolist()
    assert pending.first_at == FAR_AWAY
