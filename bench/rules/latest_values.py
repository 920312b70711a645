"""The newest reading of each device, as the platform's table `latest` has it, in arrays. Knows no rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import Kind

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NEVER = -(1 << 62)
"""In place of an instant that never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestValues:
    """Devices of one kind, (n,) each; instants and intervals in microseconds, NEVER for the unheard.

    good_at, good_received_at: when the newest good value of a measurement was observed and received,
    whatever came after. bad_since: when the first reading after it was observed that had none, NEVER while
    there is none.
    """

    kind: Kind
    place: Mapping[int, int]
    device_id: Ints
    received_at: Ints
    observed_at: Ints
    interval_us: Ints
    quality: Ints
    values: Mapping[str, Floats]
    good_at: Mapping[str, Ints]
    good_received_at: Mapping[str, Ints]
    bad_since: Mapping[str, Ints]

    @classmethod
    def of(cls, kind: Kind, devices: Sequence[int], measurements: Sequence[str]) -> LatestValues:
        """Return devices that were never heard."""
        n = len(devices)

        def never() -> Ints:
            return np.full(n, NEVER, dtype=np.int64)

        return cls(
            kind=kind,
            place={device: place for place, device in enumerate(devices)},
            device_id=np.array(devices, dtype=np.int64),
            received_at=never(),
            observed_at=never(),
            interval_us=np.ones(n, dtype=np.int64),
            quality=np.zeros(n, dtype=np.int64),
            values={name: np.full(n, np.nan) for name in measurements},
            good_at={name: never() for name in measurements},
            good_received_at={name: never() for name in measurements},
            bad_since={name: never() for name in measurements},
        )

    def take(self, columns: Columns, interval_us: Ints, row: int) -> None:
        """Take in one row of accepted readings, in the order of arrival.

        The newest observation decides what is measured; a backlog proves that its device is alive.
        """
        place = self.place[int(columns.device_id[row])]
        observed = int(columns.observed_at[row])
        quality = int(columns.quality[row])
        self.received_at[place] = max(self.received_at[place], columns.received_at[row])
        is_newest = observed >= self.observed_at[place]
        if is_newest:
            self.observed_at[place] = observed
            self.interval_us[place] = interval_us[row]
            self.quality[place] = quality
        for name, values in self.values.items():
            value = columns.values[name][row]
            if is_newest:
                values[place] = value
            is_good = value == value and not quality & self.bit(name)
            if is_good and observed > self.good_at[name][place]:
                self.good_received_at[name][place] = columns.received_at[row]
            self._date(name, place, observed, is_good=is_good)

    def _date(self, name: str, place: int, observed: int, *, is_good: bool) -> None:
        """Note since when a measurement has been good or not."""
        good_at, bad_since = self.good_at[name], self.bad_since[name]
        if observed <= good_at[place]:
            return
        if not is_good:
            bad_since[place] = observed if bad_since[place] == NEVER else min(bad_since[place], observed)
            return
        good_at[place] = observed
        if bad_since[place] <= observed:
            # Only the first bad reading is known: after a good one in the middle the newest stands for it.
            newest = int(self.observed_at[place])
            bad_since[place] = newest if newest > observed else NEVER

    def bit(self, measurement: str) -> int:
        """Return the quality bit that marks a measurement as suspect."""
        return 1 << self.kind.measurement(measurement).bit

    def good(self, measurement: str) -> Floats:
        """Return newest values, NaN where they are missing or suspect."""
        return np.where(self.quality & self.bit(measurement), np.nan, self.values[measurement])
