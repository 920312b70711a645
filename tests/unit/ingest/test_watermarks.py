"""What ingest knows of how far each device has come."""

from __future__ import annotations

import numpy as np

from devices import kinds
from devices.columns import Columns, empty_values
from ingest.commit.watermarks import Watermarks

BIN = kinds.load()["bin"]


def columns(*keys: tuple[int, int]) -> Columns:
    n = len(keys)
    devices, instants = zip(*keys, strict=True) if keys else ((), ())
    return Columns(
        kind=BIN,
        device_id=np.array(devices, dtype=np.int32),
        observed_at=np.array(instants, dtype=np.int64),
        received_at=np.arange(n, dtype=np.int64),
        quality=np.zeros(n, dtype=np.int64),
        boot=np.full(n, -1, dtype=np.int64),
        seq=np.full(n, -1, dtype=np.int64),
        values=empty_values(BIN, n),
        extra=np.full(n, None, dtype=object),
        message=np.arange(n, dtype=np.int32),
    )


def test_device_never_heard_of_is_taken_to_say_something_new() -> None:
    assert Watermarks().before(columns((7, 100))).tolist() == [True]


def test_row_is_later_only_than_what_its_own_device_has_stored() -> None:
    newest = Watermarks()
    newest.add(columns((1, 100), (1, 90), (2, 500)))

    later = newest.before(columns((1, 90), (1, 100), (1, 101), (2, 101), (900, 1)))

    assert later.tolist() == [False, False, True, False, True]


def test_no_rows_at_all_change_nothing() -> None:
    newest = Watermarks()
    newest.add(columns())

    assert newest.before(columns()).tolist() == []
