"""What is usual around a device: medians that one broken sensor cannot move."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rules.sweeps.core.neighbourhood import by_distance, by_group

DEGREE_M = 111_320.0


def test_median_of_a_group_ignores_one_broken_sensor() -> None:
    group = np.zeros(9, dtype=np.int64)
    value = np.array([20.0, 20.5, 19.5, 20.2, 19.8, 20.1, 19.9, 20.3, 900.0])

    usual = by_group(group).statistics(value)

    assert usual.median[8] == 20.1
    assert usual.spread[8] < 1
    assert usual.neighbours[8] == 8


def test_devices_without_a_group_or_a_place_have_no_neighbours() -> None:
    value = np.array([1.0, 2.0, 3.0])

    assert np.isnan(by_group(np.array([-1, -1, -1])).median(value)).all()
    nowhere = np.full(3, np.nan)
    assert by_distance(nowhere, nowhere, 500).statistics(value).neighbours.tolist() == [0, 0, 0]


def test_nobody_is_asked_and_nobody_answers() -> None:
    empty = np.zeros(0)

    assert len(by_distance(empty, empty, 500).statistics(empty).median) == 0
    assert len(by_group(np.zeros(0, dtype=np.int64)).statistics(empty).median) == 0


@given(
    st.lists(st.tuples(st.floats(0, 3000), st.floats(0, 3000)), min_size=1, max_size=40),
    st.floats(-70, 70),
)
def test_whoever_is_within_the_distance_is_a_neighbour_and_nobody_far_away_is(
    places: list[tuple[float, float]], lat: float
) -> None:
    """Values are powers of two, so that a neighbourhood of one tells who is in it by number alone."""
    north = np.array([y for y, _ in places])
    east = np.array([x for _, x in places])
    lats = lat + north / DEGREE_M
    lons = 13.0 + east / (DEGREE_M * np.cos(np.radians(lat)))

    usual = by_distance(lats, lons, 500.0).statistics(np.arange(len(places), dtype=np.float64))

    for i in range(len(places)):
        distance = np.hypot(north - north[i], east - east[i])
        # Degrees of longitude shrink a little within three kilometres: a margin for both bounds.
        assert usual.neighbours[i] >= np.sum(distance < 450) - 1
        assert usual.neighbours[i] <= np.sum(distance < 1650) - 1
