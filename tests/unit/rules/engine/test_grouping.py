"""Rows of a batch by device, in fleets small and large."""

from __future__ import annotations

import numpy as np
import pytest

from rules.context.grouping import group


@pytest.mark.parametrize("largest", [0, 65_535, 65_536, 1_000_000])
def test_rows_of_a_device_keep_the_order_they_came_in(largest: int) -> None:
    state_rows = np.array([largest, 0, largest, 0, largest // 2], dtype=np.intp)
    grouping = group(state_rows)

    assert grouping.order.tolist() == sorted(range(5), key=lambda row: (state_rows[row], row))
    assert grouping.state_rows.tolist() == sorted(set(state_rows.tolist()))


def test_empty_batch_has_no_groups() -> None:
    assert len(group(np.empty(0, dtype=np.intp)).state_rows) == 0
