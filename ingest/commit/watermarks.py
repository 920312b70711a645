"""The newest stored instant of each device: tells which readings must be new and which may be duplicates.

One process writes a shard, so it knows what it has stored. Only a hint: the unique key decides. Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns

_UNKNOWN = np.iinfo(np.int64).min


class Watermarks:
    """The newest stored instant of every device that has reported since this process owns the shard."""

    def __init__(self) -> None:
        self._at = np.full(0, _UNKNOWN, dtype=np.int64)

    def before(self, columns: Columns) -> NDArray[np.bool_]:
        """Return (n,) bool: rows later than the watermark of their device, so most likely not stored yet."""
        self._reach(columns.device_id)
        later: NDArray[np.bool_] = columns.observed_at > self._at[columns.device_id]
        return later

    def add(self, columns: Columns) -> None:
        """Raise the watermarks to rows that are stored."""
        self._reach(columns.device_id)
        np.maximum.at(self._at, columns.device_id, columns.observed_at)

    def _reach(self, device_id: NDArray[np.int32]) -> None:
        longest = int(device_id.max(initial=0)) + 1
        if longest > len(self._at):
            longer = np.full(max(longest, 2 * len(self._at)), _UNKNOWN, dtype=np.int64)
            longer[: len(self._at)] = self._at
            self._at = longer
