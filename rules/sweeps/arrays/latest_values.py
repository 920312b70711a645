"""The newest reading of each device, as the platform's table `latest` has it, in arrays. Knows no rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Kind, ValueType
from rules.sweeps.arrays.received import ReceivedReadings
from rules.sweeps.core.instants import NEVER

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class LatestValues:
    """n devices of one kind, (n,) each; microseconds, NEVER before the first reading.

    received_at: greatest. observed_at, interval_us, quality, values: of the newest observation.
    """

    def __init__(self, kind: Kind, devices: int, measurements: Sequence[str]) -> None:
        self.received_at: Ints = np.full(devices, NEVER, dtype=np.int64)
        self.observed_at: Ints = np.full(devices, NEVER, dtype=np.int64)
        self.interval_us: Ints = np.ones(devices, dtype=np.int64)
        self.quality: Ints = np.zeros(devices, dtype=np.int64)
        self.values: dict[str, NDArray[Any]] = {name: _absent(kind, name, devices) for name in measurements}
        self._bits = {name: 1 << kind.measurement(name).bit for name in measurements}

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings, in the order of arrival.

        The newest observation decides what is measured; a backlog proves that its device is alive.
        """
        np.maximum.at(self.received_at, received.device, received.received_at)
        newest = _newest(received)
        newest = newest[received.observed_at[newest] >= self.observed_at[received.device[newest]]]
        devices = received.device[newest]
        self.observed_at[devices] = received.observed_at[newest]
        self.interval_us[devices] = received.interval_us[newest]
        self.quality[devices] = received.quality[newest]
        for name, values in self.values.items():
            values[devices] = received.values[name][newest]

    def good(self, measurement: str) -> Floats:
        """Return newest values, NaN where they are missing or suspect."""
        return np.where(self.quality & self._bits[measurement], np.nan, self.values[measurement])


def _absent(kind: Kind, measurement: str, n: int) -> NDArray[Any]:
    if kind.measurement(measurement).type is ValueType.TEXT:
        return np.full(n, None, dtype=object)
    return np.full(n, np.nan)


def _newest(received: ReceivedReadings) -> NDArray[np.intp]:
    """Return the row of each device's newest observation; of equal instants the last that arrived."""
    order = np.lexsort((received.observed_at, received.device))
    device = received.device[order]
    last = np.ones(len(order), dtype=np.bool_)
    last[:-1] = device[1:] != device[:-1]
    return order[last]
