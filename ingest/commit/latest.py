"""The newest reading of each device, and which are not flushed yet. The caller flushes in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns, empty_values
from devices.kinds.kind import Kind, Measurement, ValueType
from devices.reporting import expected_interval_s
from devices.row_index import RowIndex
from ingest.decide.directory import Directory
from readings.latest import LatestColumns

FLUSH_EVERY_S = 1.0
FLUSH_BEHIND_S = 5.0
"""While messages wait, newest values soon change, and in a large fleet a flush takes longer than a batch. Its
pieces are as much further apart: a million devices that all wait are written in 100 s."""

Rows = NDArray[np.intp]

PIECES, SMALLEST, LARGEST = 10, 500, 5_000
"""A flush is spread evenly over so many batches, so that none is delayed by all of it; devices a piece has at
least, and at most: of a large fleet there are more pieces."""

_POSITION = ("lat", "lon")


class LatestBuffer:
    """The newest reading of each device that has reported, and which of them are not flushed yet."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._pieces: list[list[tuple[_Table, Rows]]] = []

    @property
    def waiting(self) -> bool:
        """Tell whether there is anything to flush."""
        return self.flushing or any(table.waits.any() for table in self._tables.values())

    @property
    def flushing(self) -> bool:
        """Tell whether pieces of a flush are still to be written."""
        return bool(self._pieces)

    def add(self, columns: Columns) -> None:
        """Add committed rows."""
        kind = columns.kind
        if kind.name not in self._tables:
            self._tables[kind.name] = _Table(kind)
        self._tables[kind.name].add(columns)

    def rows(self, directory: Directory) -> LatestColumns:
        """Return the piece to flush next, of the same devices until `flushed` is called.

        Readings of them that are newer than these are flushed next time, whether they came before or after.
        """
        if not self._pieces:
            self._pieces = _cut(self._tables.values())
        piece = self._pieces[-1]
        for table, rows in piece:
            table.waits[rows] = False
        return LatestColumns(
            device_id=_listed(piece, lambda table: table.index.devices),
            observed_at=_listed(piece, lambda table: table.observed_at),
            received_at=_listed(piece, lambda table: table.received_at),
            interval_s=[s for table, rows in piece for s in table.interval_s(rows, directory)],
            paced=[p for table, rows in piece for p in table.paced(rows, directory)],
            quality=_listed(piece, lambda table: table.quality),
            place=[bits for table, rows in piece for bits in table.place(rows)],
            measurements=[values for table, rows in piece for values in table.measurements(rows)],
        )

    def flushed(self) -> None:
        """Drop the piece that `rows` returned: it is stored."""
        if self._pieces:
            self._pieces.pop()


class _Table:
    """The newest reading of each device of one kind; `index` says which row belongs to which device.

    received_at is the newest of a device whichever reading it came with: a backlog proves that it is alive. A
    good position stays until the next good one: a suspect one is nowhere. A measurement that no device has
    sent yet has no column: devices send few of all that their kind may.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.index = RowIndex()
        self.waits = np.zeros(0, dtype=np.bool_)
        self.observed_at = np.zeros(0, dtype=np.int64)
        self.received_at = np.zeros(0, dtype=np.int64)
        self.quality = np.zeros(0, dtype=np.int64)
        self._values: dict[str, NDArray[Any]] = {}
        bits = [1 << m.bit for m in kind.measurements if m.name in _POSITION]
        self._place = sum(bits) if len(bits) == len(_POSITION) else 0

    def add(self, columns: Columns) -> None:
        """Adopt rows that are newer than the present ones."""
        rows = self.index.of(columns.device_id)
        if self.index.capacity > len(self.waits):
            self._grow(self.index.capacity)
        self.waits[rows] = True
        np.maximum.at(self.received_at, rows, columns.received_at)
        # Of one batch the newest of each device; of equally new ones the last.
        order = np.lexsort((columns.observed_at, rows))
        last = order[np.flatnonzero(np.diff(rows[order], append=-1))]
        last = last[columns.observed_at[last] >= self.observed_at[rows[last]]]
        here = rows[last]
        self.observed_at[here] = columns.observed_at[last]
        newest = columns.quality[last]
        stays = self._stays(here, newest)
        for measurement in self.kind.measurements:
            name, sent = measurement.name, columns.values[measurement.name]
            values = self._values.get(name)
            if values is None:
                if _absent(measurement, sent):
                    continue
                values = self._values[name] = empty_values(self.kind, len(self.waits), (name,))[name]
            if name in _POSITION and stays.any():
                values[here[~stays]] = sent[last[~stays]]
            else:
                values[here] = sent[last]
        self.quality[here] = np.where(stays, newest & ~self._place, newest)

    def _stays(self, here: Rows, newest: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which devices, of those with a new reading, keep the position that they have."""
        nowhere: NDArray[np.bool_] = newest & self._place != 0
        if not nowhere.any():
            return np.zeros(len(here), dtype=np.bool_)
        known = [~np.isnan(self._of(name, here)) for name in _POSITION]
        kept: NDArray[np.bool_] = nowhere & (self.quality[here] & self._place == 0) & np.all(known, axis=0)
        return kept

    def _of(self, name: str, rows: Rows) -> NDArray[Any]:
        """Return what some devices measured; NaN or None where that is absent."""
        values = self._values.get(name)
        return empty_values(self.kind, len(rows), (name,))[name] if values is None else values[rows]

    def _grow(self, capacity: int) -> None:
        more = capacity - len(self.waits)
        blank = empty_values(self.kind, more, self._values)
        self._values = {name: np.append(values, blank[name]) for name, values in self._values.items()}
        self.quality, self.observed_at, self.received_at = (
            np.append(column, np.zeros(more, dtype=np.int64))
            for column in (self.quality, self.observed_at, self.received_at)
        )
        self.waits = np.append(self.waits, np.zeros(more, dtype=np.bool_))

    def interval_s(self, rows: Rows, directory: Directory) -> list[float]:
        """Return how soon some devices are expected again, in seconds."""
        known = self.index.devices[rows]
        own = directory.own_interval_s(self.kind.name)[known]
        values = {
            measurement.name: self._of(measurement.name, rows) for measurement in self.kind.measurements
        }
        found: list[float] = expected_interval_s(
            self.kind,
            values,
            own,
            attribute=lambda name: directory.attributes(self.kind.name, (name,))[name][known],
        ).tolist()
        return found

    def paced(self, rows: Rows, directory: Directory) -> list[bool]:
        """Tell which devices have no interval of their own, so that what was learned of them counts."""
        own = directory.own_interval_s(self.kind.name)[self.index.devices[rows]]
        paced: list[bool] = np.isnan(own).tolist()
        return paced

    def place(self, rows: Rows) -> list[int]:
        """Return which bits of the quality of some devices say that they are nowhere."""
        bits: list[int] = (self.quality[rows] & self._place).tolist()
        return bits

    def measurements(self, rows: Rows) -> list[Mapping[str, Any]]:
        """Return what some devices measured, absent measurements left out."""
        names, lists = [], []
        for measurement in self.kind.measurements:
            values = _plain(measurement, self._of(measurement.name, rows))
            if values is not None:
                names.append(measurement.name)
                lists.append(values)
        if not lists:
            return [{} for _ in range(len(rows))]
        return [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in zip(*lists, strict=True)
        ]


def pieces_of(devices: int) -> int:
    """Return in how many pieces so many devices are flushed."""
    return max(min(PIECES, -(-devices // SMALLEST)), -(-devices // LARGEST))


def _cut(tables: Iterable[_Table]) -> list[list[tuple[_Table, Rows]]]:
    """Divide everything that is not flushed yet into pieces of one size."""
    waiting = [(table, np.flatnonzero(table.waits)) for table in tables]
    devices = sum(len(rows) for _, rows in waiting)
    pieces = pieces_of(devices)
    return [
        [(table, rows[piece::pieces]) for table, rows in waiting if len(rows) > piece]
        for piece in range(pieces)
    ]


def _listed(piece: list[tuple[_Table, Rows]], column: Callable[[_Table], NDArray[Any]]) -> list[Any]:
    return [value for table, rows in piece for value in column(table)[rows].tolist()]


def _absent(measurement: Measurement, values: NDArray[Any]) -> bool:
    """Tell whether a measurement is absent throughout."""
    if measurement.type is ValueType.TEXT:
        return bool(values.tolist().count(None) == len(values))
    return bool(np.isnan(values).all())


def _plain(measurement: Measurement, values: NDArray[Any]) -> list[Any] | None:
    """Return a column with None where it is absent; None for one that is absent throughout."""
    if _absent(measurement, values):
        return None
    plain: list[Any] = (values != 0).tolist() if measurement.type is ValueType.BOOLEAN else values.tolist()
    if measurement.type is ValueType.TEXT:
        return plain
    for row in np.flatnonzero(np.isnan(values)).tolist():
        plain[row] = None
    return plain
