"""For how long what a reading said holds, cut into hours. Pure.

A value holds until the next good one, if that comes within two and a half of the intervals in which the
device then reported. Where it does not, the device was silent: how long its last value held is not known, and
counts as nothing. So hours are a function of the readings around them alone, and none lies in the future.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

HOUR_US = 3_600_000_000
INTERVALS = 2.5
SHORTEST_S, LONGEST_S = 300.0, 90_000.0
"""Devices that speak every second miss some; those that speak once a day do so at another minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """Parts of hours in which something held, (k,) each: who said it (row), the hour since 1970, seconds."""

    row: NDArray[np.intp]
    hour: Ints
    seconds: Floats


def held_us(interval_s: Floats) -> Ints:
    """Return for how long at most what devices said holds, microseconds, (n,)."""
    return (np.clip(interval_s * INTERVALS, SHORTEST_S, LONGEST_S) * 1e6).astype(np.int64)


def pieces(device_id: NDArray[np.int32], at: Ints, held: Ints, rows: NDArray[np.intp]) -> Pieces:
    """Return for how long each of some rows held until the next of them, by hour.

    Args:
        device_id, at, held: (n,) of all rows, which are in order of device and instant.
        rows: those that say something good, ascending.
    """
    before, after = rows[:-1], rows[1:]
    known = (device_id[before] == device_id[after]) & (at[after] - at[before] <= held[before])
    before, start, end = before[known], at[before[known]], at[after[known]]
    first = start // HOUR_US
    hours = (end - 1) // HOUR_US - first + 1
    place = np.repeat(np.arange(len(before)), hours)
    hour = first[place] + np.arange(len(place)) - np.repeat(np.cumsum(hours) - hours, hours)
    lasts = np.minimum(end[place], (hour + 1) * HOUR_US) - np.maximum(start[place], hour * HOUR_US)
    return Pieces(row=before[place], hour=hour, seconds=lasts / 1e6)
