"""Rows given to devices: one each, in the order of asking, kept while more come."""

from __future__ import annotations

import numpy as np

from devices.row_index import RowIndex


def ids(*devices: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.array(devices, dtype=np.int32)


def test_device_keeps_its_row_while_others_come() -> None:
    places = RowIndex()

    assert places.of(ids(7, 3, 7)).tolist() == [1, 0, 1]
    assert places.of(ids(9, 3)).tolist() == [2, 0]
    assert places.devices.tolist() == [3, 7, 9]


def test_rows_follow_each_other_however_many_devices_there_are() -> None:
    places = RowIndex()
    for start in range(0, 100_000, 777):
        places.of(np.arange(start, start + 777, dtype=np.int32))

    assert places.of(np.arange(len(places), dtype=np.int32)).tolist() == list(range(len(places)))
    assert places.capacity >= len(places)


def test_nobody_asks_for_nothing() -> None:
    places = RowIndex()

    assert places.of(ids()).tolist() == []
    assert len(places) == 0


def test_copy_goes_its_own_way() -> None:
    places = RowIndex()
    places.of(ids(1, 2))
    copy = places.copy()
    copy.of(ids(5))
    places.of(ids(4))

    assert places.devices.tolist() == [1, 2, 4]
    assert copy.devices.tolist() == [1, 2, 5]
