"""Readings that wait for a sweep to look, in the order they were received. Knows no rules."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from rules.sweeps.core.instants import FAR_AWAY

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedReadings:
    """m readings of some devices, (m,) each, ascending by received_at; microseconds.

    device: row of the device. interval_us: how soon the next reading was expected. values: by measurement.
    """

    device: NDArray[np.intp]
    observed_at: Ints
    received_at: Ints
    interval_us: Ints
    quality: Ints
    values: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(self.device)

    def part(self, start: int, stop: int) -> ReceivedReadings:
        """Return some of them, without a copy."""
        return ReceivedReadings(
            device=self.device[start:stop],
            observed_at=self.observed_at[start:stop],
            received_at=self.received_at[start:stop],
            interval_us=self.interval_us[start:stop],
            quality=self.quality[start:stop],
            values={name: values[start:stop] for name, values in self.values.items()},
        )


def received_by(
    columns: Columns, interval_us: Ints, device_id: Ints, measurements: Collection[str]
) -> ReceivedReadings:
    """Return the readings of some devices.

    Args:
        columns: (n,) in the order of arrival.
        interval_us: (n,) how soon the next reading was expected after each.
        device_id: of the devices; the result names their rows.
    """
    order = np.argsort(device_id)
    at = np.searchsorted(device_id, columns.device_id, sorter=order)
    device = order[np.minimum(at, len(order) - 1)] if len(order) else np.zeros(len(columns), dtype=np.intp)
    known = device_id[device] == columns.device_id if len(order) else np.zeros(len(columns), dtype=np.bool_)
    own: NDArray[np.intp] | slice = slice(None) if known.all() else np.flatnonzero(known)
    return ReceivedReadings(
        device=device[own],
        observed_at=columns.observed_at[own],
        received_at=columns.received_at[own],
        interval_us=interval_us[own],
        quality=columns.quality[own],
        values={name: columns.values[name][own] for name in measurements},
    )


class PendingReadings:
    """Received readings that a sweep has not seen yet."""

    def __init__(self) -> None:
        self._blocks: deque[ReceivedReadings] = deque()
        self._start = 0

    def add(self, received: ReceivedReadings) -> None:
        """Add readings that were received after all before."""
        if len(received):
            self._blocks.append(received)

    @property
    def first_at(self) -> int:
        """When the first of them was received, FAR_AWAY when there are none."""
        return int(self._blocks[0].received_at[self._start]) if self._blocks else FAR_AWAY

    def up_to(self, at: int) -> Iterator[ReceivedReadings]:
        """Yield those received up to an instant."""
        start = self._start
        for block in self._blocks:
            stop = int(np.searchsorted(block.received_at, at, side="right"))
            if stop > start:
                yield block.part(start, stop)
            if stop < len(block):
                return
            start = 0

    def take(self, at: int) -> list[ReceivedReadings]:
        """Return and forget those received up to an instant."""
        taken = list(self.up_to(at))
        left = sum(len(part) for part in taken)
        while self._blocks and left >= len(self._blocks[0]) - self._start:
            left -= len(self._blocks[0]) - self._start
            self._blocks.popleft()
            self._start = 0
        self._start += left
        return taken
