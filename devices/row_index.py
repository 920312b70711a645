"""Which row of some arrays each device has. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NONE = -1
_LEAST = 64


class RowIndex:
    """Gives devices rows 0, 1, 2 ... in the order in which they are first asked for; a row never changes."""

    def __init__(self) -> None:
        self._size = 0
        self._devices = np.empty(0, dtype=np.int32)
        self._rows = np.empty(0, dtype=np.int32)

    def __len__(self) -> int:
        return self._size

    @property
    def devices(self) -> NDArray[np.int32]:
        """The device of each row, shape (n,)."""
        return self._devices[: self._size]

    @property
    def capacity(self) -> int:
        """How many rows arrays should have: more than there are devices, so that they rarely grow."""
        return len(self._devices)

    def of(self, device_ids: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the row of each device; one that is asked for the first time gets the next."""
        if not len(device_ids):
            return np.empty(0, dtype=np.intp)
        self._reach(int(device_ids.max()))
        rows = self._rows[device_ids]
        if not (rows >= 0).all():
            self._add(np.unique(device_ids[rows < 0]))
            rows = self._rows[device_ids]
        return rows.astype(np.intp)

    def _reach(self, device_id: int) -> None:
        if device_id >= len(self._rows):
            longer = np.full(max(device_id + 1, len(self._rows) * 5 // 4), _NONE, dtype=np.int32)
            longer[: len(self._rows)] = self._rows
            self._rows = longer

    def _add(self, device_ids: NDArray[np.int32]) -> None:
        end = self._size + len(device_ids)
        if end > len(self._devices):
            devices = np.zeros(max(end, 2 * len(self._devices), _LEAST), dtype=np.int32)
            devices[: self._size] = self.devices
            self._devices = devices
        self._devices[self._size : end] = device_ids
        self._rows[device_ids] = np.arange(self._size, end)
        self._size = end

    def copy(self) -> RowIndex:
        """Return an independent copy."""
        copy = RowIndex()
        copy._size, copy._devices, copy._rows = self._size, self._devices.copy(), self._rows.copy()
        return copy
