"""The newest reading of each device since the last flush. Pure; a flush is the caller's transaction."""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.columns import Columns
from devices.kinds.kind import ValueType
from devices.latest import LatestColumns, expected_interval
from ingest.directory import Directory

FLUSH_EVERY_S = 1.0


class LatestBuffer:
    """Remembers where the newest row of each device is; measurements are read when flushed."""

    def __init__(self) -> None:
        self._newest: dict[int, tuple[Columns, int]] = {}
        self._received: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._newest)

    def add(self, columns: Columns) -> None:
        """Take note of committed rows."""
        order = np.lexsort((columns.observed_at, columns.device_id))
        devices = columns.device_id[order]
        last = np.flatnonzero(np.append(np.diff(devices) != 0, True))
        for device_id, row in zip(devices[last].tolist(), order[last].tolist(), strict=True):
            kept = self._newest.get(device_id)
            if kept is None or kept[0].observed_at[kept[1]] <= columns.observed_at[row]:
                self._newest[device_id] = (columns, row)
            self._received[device_id] = int(columns.received_at[row])

    def rows(self, directory: Directory) -> LatestColumns:
        """Return what to flush."""
        newest = self._newest.items()
        measurements = [_measurements(columns, row) for _, (columns, row) in newest]
        return LatestColumns(
            device_id=list(self._newest),
            observed_at=[int(columns.observed_at[row]) for _, (columns, row) in newest],
            received_at=[self._received[device_id] for device_id in self._newest],
            interval_s=[
                expected_interval(columns.kind, values, directory.device(device_id).attributes)
                for (device_id, (columns, _)), values in zip(newest, measurements, strict=True)
            ],
            quality=[int(columns.quality[row]) for _, (columns, row) in newest],
            measurements=measurements,
        )

    def clear(self) -> None:
        """Forget everything: it is flushed, or the shard is lost."""
        self._newest.clear()
        self._received.clear()


def _measurements(columns: Columns, row: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for measurement in columns.kind.measurements:
        value = columns.values[measurement.name][row]
        if value is None or value != value:
            continue
        match measurement.type:
            case ValueType.NUMBER:
                found[measurement.name] = float(value)
            case ValueType.BOOLEAN:
                found[measurement.name] = bool(value)
            case ValueType.TEXT:
                found[measurement.name] = value
    return found
