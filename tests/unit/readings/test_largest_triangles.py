"""Which points of a line are kept."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from readings.buckets.largest_triangles import largest_triangles

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=0, max_size=200)


@given(values=VALUES, points=st.integers(3, 50))
def test_as_many_points_as_asked_for_are_kept_in_order_with_both_ends(
    values: list[float], points: int
) -> None:
    kept = largest_triangles(np.arange(len(values)), np.array(values), points)

    assert len(kept) == min(points, len(values))
    assert list(kept) == sorted(set(kept.tolist()))
    if values:
        assert (kept[0], kept[-1]) == (0, len(values) - 1)


def test_a_peak_of_one_point_stays() -> None:
    values = np.zeros(10_000)
    values[6_789] = 1.0

    assert 6_789 in largest_triangles(np.arange(10_000), values, 12)
