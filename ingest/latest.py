"""The newest reading of each device since the last flush. Pure; a flush is the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import Measurement, ValueType
from devices.latest import LatestColumns, expected_interval
from ingest.directory import Directory

FLUSH_EVERY_S = 1.0
FLUSH_BEHIND_S = 5.0
"""While messages wait, newest values are not news, and with a large fleet a flush costs more than a batch."""

PIECES, SMALLEST = 10, 500
"""A flush is spread over so many batches, lest one be late for all; fewer devices make no piece."""

_MOST_ROWS = 200_000
"""So many rows are kept before those that are not the newest of their device are dropped."""


class LatestBuffer:
    """Keeps committed rows as they are; which are the newest is looked at when they are flushed."""

    def __init__(self) -> None:
        self._kept: defaultdict[str, list[Columns]] = defaultdict(list)
        self._rows = 0
        self._pieces: list[list[Columns]] = []

    def __len__(self) -> int:
        return self._rows + len(self._pieces)

    @property
    def flushing(self) -> bool:
        """Tell whether pieces of a flush are still to be written."""
        return bool(self._pieces)

    def add(self, columns: Columns) -> None:
        """Take note of committed rows."""
        self._kept[columns.kind.name].append(columns)
        self._rows += len(columns)
        if self._rows > _MOST_ROWS:
            self._kept = defaultdict(list, {kind: [_newest(kept)] for kind, kept in self._kept.items()})
            # Rows that stay count as none: a fleet larger than the limit must not be sorted at every batch.
            self._rows = 1

    def rows(self, directory: Directory) -> LatestColumns:
        """Return the piece to flush next, the same one until it is `flushed`."""
        if not self._pieces:
            self._pieces = _cut([_newest(kept) for kept in self._kept.values()])
            self._kept.clear()
            self._rows = 0
        newest = self._pieces[-1]
        measurements = [values for columns in newest for values in _measurements(columns)]
        devices = [device for columns in newest for device in columns.device_id.tolist()]
        kinds = [columns.kind for columns in newest for _ in range(len(columns))]
        return LatestColumns(
            device_id=devices,
            observed_at=[at for columns in newest for at in columns.observed_at.tolist()],
            received_at=[at for columns in newest for at in columns.received_at.tolist()],
            interval_s=[
                expected_interval(kind, values, directory.device(device).attributes)
                for kind, values, device in zip(kinds, measurements, devices, strict=True)
            ],
            quality=[bits for columns in newest for bits in columns.quality.tolist()],
            measurements=measurements,
        )

    def flushed(self) -> None:
        """Forget the piece that `rows` returned: it is stored."""
        if self._pieces:
            self._pieces.pop()


def _cut(newest: list[Columns]) -> list[list[Columns]]:
    pieces = min(PIECES, -(-sum(map(len, newest)) // SMALLEST))
    return [
        [columns.take(np.arange(piece, len(columns), pieces)) for columns in newest if len(columns) > piece]
        for piece in range(pieces)
    ]


def _newest(kept: list[Columns]) -> Columns:
    """Return the newest row of each device, as received last: a backlog proves that a device is alive."""
    together = _joined(kept)
    order = np.lexsort((together.observed_at, together.device_id))
    devices = together.device_id[order]
    starts = np.flatnonzero(np.append(True, np.diff(devices) != 0))
    newest = together.take(order[np.append(starts[1:], len(order)) - 1])
    newest.received_at = np.maximum.reduceat(together.received_at[order], starts)
    return newest


def _joined(kept: list[Columns]) -> Columns:
    if len(kept) == 1:
        return kept[0]

    def join(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(columns, name) for columns in kept])

    return Columns(
        kind=kept[0].kind,
        device_id=join("device_id"),
        observed_at=join("observed_at"),
        received_at=join("received_at"),
        quality=join("quality"),
        boot=join("boot"),
        seq=join("seq"),
        values={n: np.concatenate([columns.values[n] for columns in kept]) for n in kept[0].values},
        extra=join("extra"),
        message=join("message"),
    )


def _measurements(columns: Columns) -> list[Mapping[str, Any]]:
    """Return what each row measured, absent measurements left out."""
    names, lists = [], []
    for measurement in columns.kind.measurements:
        values = _plain(measurement, columns.values[measurement.name])
        if values is not None:
            names.append(measurement.name)
            lists.append(values)
    if not lists:
        return [{} for _ in range(len(columns))]
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*lists, strict=True)
    ]


def _plain(measurement: Measurement, values: NDArray[Any]) -> list[Any] | None:
    """Return a column with None where it is absent; None for one that is absent throughout."""
    if measurement.type is ValueType.TEXT:
        texts = values.tolist()
        return None if texts.count(None) == len(texts) else texts
    absent = np.isnan(values)
    if absent.all():
        return None
    plain: list[Any] = (values != 0).tolist() if measurement.type is ValueType.BOOLEAN else values.tolist()
    for row in np.flatnonzero(absent).tolist():
        plain[row] = None
    return plain
