"""Since when a measurement of each device has been good or not, in any order of arrival. Knows no rules."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind
from rules.sweeps.arrays.received import ReceivedReadings
from rules.sweeps.core.instants import NEVER

Ints = NDArray[np.int64]


class GoodTimes:
    """n devices, (n,) each; microseconds, NEVER before the first reading.

    good_at, good_received_at: when the newest good value was observed and received, whatever came after.
    bad_since: when the first reading after it was observed that had none, NEVER while there is none.
    """

    def __init__(self, kind: Kind, devices: int, measurement: str) -> None:
        self._name = measurement
        self._bit = 1 << kind.measurement(measurement).bit
        self._observed_at: Ints = np.full(devices, NEVER, dtype=np.int64)
        self.good_at: Ints = np.full(devices, NEVER, dtype=np.int64)
        self.good_received_at: Ints = np.full(devices, NEVER, dtype=np.int64)
        self.bad_since: Ints = np.full(devices, NEVER, dtype=np.int64)

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings, in the order of arrival."""
        good = np.isfinite(received.values[self._name]) & (received.quality & self._bit == 0)
        for rows in _rounds(received.device):
            self._take(received, rows, good[rows])

    def _take(self, received: ReceivedReadings, rows: NDArray[np.intp], good: NDArray[np.bool_]) -> None:
        """Take in at most one reading of each device."""
        device, observed = received.device[rows], received.observed_at[rows]
        newest = np.maximum(self._observed_at[device], observed)
        self._observed_at[device] = newest
        later = observed > self.good_at[device]
        refreshed, bad = later & good, later & ~good
        self.good_at[device[refreshed]] = observed[refreshed]
        self.good_received_at[device[refreshed]] = received.received_at[rows][refreshed]
        since = self.bad_since[device]
        since = np.where(bad, np.where(since == NEVER, observed, np.minimum(since, observed)), since)
        # Only the first bad reading is known: after a good one in the middle the newest stands for it.
        over = refreshed & (since <= observed)
        self.bad_since[device] = np.where(over, np.where(newest > observed, newest, NEVER), since)


def _rounds(device: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of each device's first reading, then of each device's second, and so on."""
    order = np.argsort(device, kind="stable")
    ordered = device[order]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = np.flatnonzero(begins)
    rank = np.arange(len(order)) - first[np.cumsum(begins) - 1]
    by_rank = np.argsort(rank, kind="stable")
    yield from np.split(order[by_rank], np.cumsum(np.bincount(rank))[:-1])
