"""What cannot be told of a value without the one before it: a sensor's code, a counter faster than time.

The value before is the one that arrived before. Those of all devices of a kind that have reported are kept in
memory: `judge` marks rows and remembers them, `committed` or `rolled_back` says whether that
stands. Must not know the database.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import UNCONFIRMED, Kind, Measurement
from devices.row_index import RowIndex

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Rows = NDArray[np.intp]

HOUR_US = 3_600_000_000
FASTER = 1.1
"""How much faster than it can a counter must grow to be suspect: clocks and meters are not exact."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sequence:
    """n rows of devices, each device's together in arrival order.

    order: (n,) their places in the columns. device: (n,) rows of the memory. begins: (n,) the place here at
    which each row's device begins. last: (g,) the place here of each device's last row.
    """

    order: Rows
    device: Rows
    begins: Rows
    last: Rows

    def before(self, value: Floats, at_first: Floats) -> Floats:
        """Return the known value before each row: of this batch, or else what was remembered.

        Args:
            value: (n,) in this order, NaN where unknown. at_first: (n,) remembered of each row's device.
        """
        places = np.arange(len(value))
        known = np.maximum.accumulate(np.where(np.isnan(value), -1, places))
        previous = np.append(-1, known[:-1])
        return np.where(previous >= self.begins, value[previous], at_first)

    def final(self, value: Floats, at_first: Floats) -> Floats:
        """Return the newest known value of each device, (g,); see `before`."""
        known = np.maximum.accumulate(np.where(np.isnan(value), -1, np.arange(len(value))))[self.last]
        return np.where(known >= self.begins[self.last], value[known], at_first[self.last])


def _sequence(device: Rows) -> _Sequence:
    order = np.argsort(device, kind="stable")
    ordered = device[order]
    changes = np.append(True, ordered[1:] != ordered[:-1])
    first = np.flatnonzero(changes)
    return _Sequence(
        order=order,
        device=ordered,
        begins=first[np.cumsum(changes) - 1],
        last=np.append(first[1:], len(ordered)) - 1,
    )


class LastValues:
    """The last known values of the devices of one kind, of those measurements that are judged by them."""

    def __init__(self, kind: Kind) -> None:
        self.watched = [m for m in kind.measurements if m.codes or m.most_per_h]
        self._kind = kind
        self._index = RowIndex()
        self._marked = np.zeros(0, dtype=np.int64)
        # Of each watched measurement: the value, and when it was observed.
        self._values = np.full((len(self.watched), 0), np.nan)
        self._at = np.full((len(self.watched), 0), np.nan)
        self._undo: tuple[Rows, Ints, Floats, Floats] | None = None

    def remember(
        self, name: str, device_id: NDArray[np.int32], value: Floats, at: Ints, marked: Bools
    ) -> None:
        """Adopt stored values of one watched measurement, one a device; (n,) each, `at` in microseconds."""
        rows = self._rows(device_id)
        watched = [m.name for m in self.watched].index(name)
        self._values[watched, rows] = value
        self._at[watched, rows] = at
        bit = 1 << self.watched[watched].bit
        self._marked[rows] = np.where(marked, self._marked[rows] | bit, self._marked[rows] & ~bit)

    def judge(self, columns: Columns) -> Ints:
        """Return the quality bits of rows, (n,), with those that the values before them add."""
        if not len(columns):
            return columns.quality
        sequence = _sequence(self._rows(columns.device_id))
        devices = sequence.device[sequence.last]
        self._undo = (
            devices,
            self._marked[devices],
            self._values[:, devices],
            self._at[:, devices],
        )
        quality = columns.quality[sequence.order]
        marked = self._marked[sequence.device]
        for position, measurement in enumerate(self.watched):
            value = columns.values[measurement.name][sequence.order]
            if np.isnan(value).all():
                continue
            suspect = self._suspect(position, measurement, value, columns, sequence, marked)
            quality |= suspect.astype(np.int64) << measurement.bit
        quality |= self._confirm(columns, sequence, quality, marked)
        judged = np.empty_like(quality)
        judged[sequence.order] = quality
        return judged

    def committed(self) -> None:
        """Keep what `judge` has remembered."""
        self._undo = None

    def rolled_back(self) -> None:
        """Forget what `judge` has remembered since `committed`."""
        if self._undo is not None:
            devices, self._marked[devices], self._values[:, devices], self._at[:, devices] = self._undo
            self._undo = None

    def _suspect(
        self,
        position: int,
        measurement: Measurement,
        value: Floats,
        columns: Columns,
        sequence: _Sequence,
        marked: Ints,
    ) -> Bools:
        """Judge one measurement by its value before, and remember the newest."""
        devices = sequence.device[sequence.last]
        past = self._values[position, sequence.device]
        suspect = np.zeros(len(value), dtype=np.bool_)
        if measurement.codes:
            code = np.isin(value, measurement.codes)
            if code.any():
                # Without a value before there is no leap: comparisons with NaN are false.
                suspect |= code & (np.abs(value - sequence.before(value, past)) > measurement.leap)
        if measurement.most_per_h:
            at = np.where(np.isnan(value), np.nan, columns.observed_at[sequence.order].astype(np.float64))
            past_at = self._at[position, sequence.device]
            grown = value - sequence.before(value, past)
            hours = (at - sequence.before(at, past_at)) / HOUR_US
            was = (marked >> measurement.bit & 1).astype(np.float64)
            suspect |= _too_fast(grown, hours, measurement.most_per_h, was, sequence)
            self._at[position, devices] = sequence.final(at, past_at)
        self._values[position, devices] = sequence.final(value, past)
        return suspect

    def _confirm(self, columns: Columns, sequence: _Sequence, quality: Ints, marked: Ints) -> Ints:
        """Return UNCONFIRMED for rows in which something is marked that was not before; remember what is."""
        first = np.zeros(len(quality), dtype=np.int64)
        wanted = int(np.bitwise_or.reduce(quality | marked, initial=0)) & self._kind.measurement_mask
        devices = sequence.device[sequence.last]
        for measurement in self._kind.measurements:
            if not wanted >> measurement.bit & 1:
                continue
            suspect = (quality >> measurement.bit & 1).astype(np.float64)
            suspect[columns.absent(measurement.name)[sequence.order]] = np.nan
            was = (marked >> measurement.bit & 1).astype(np.float64)
            fresh = (suspect == 1) & (sequence.before(suspect, was) == 0)
            first |= np.where(fresh, UNCONFIRMED, 0)
            now = sequence.final(suspect, was).astype(np.int64) << measurement.bit
            self._marked[devices] = self._marked[devices] & ~(1 << measurement.bit) | now
        return first

    def _rows(self, device_id: NDArray[np.int32]) -> Rows:
        rows = self._index.of(device_id)
        more = self._index.capacity - len(self._marked)
        if more > 0:
            unknown = np.full((len(self.watched), more), np.nan)
            self._marked = np.append(self._marked, np.zeros(more, dtype=np.int64))
            self._values = np.append(self._values, unknown, axis=1)
            self._at = np.append(self._at, unknown, axis=1)
        return rows


def _too_fast(grown: Floats, hours: Floats, most_per_h: float, was: Floats, sequence: _Sequence) -> Bools:
    """Tell where a counter grew faster than it can, (n,); it stays so until it grows as it can, or falls.

    Args:
        grown, hours: (n,) since the value before, NaN where unknown. was: (n,) whether it was so before.
    """
    # An hour's worth more than the time allows: counters of whole hours or units step.
    fast = grown > FASTER * most_per_h * hours + most_per_h
    told = np.where(hours >= 0, np.where(fast, 1.0, np.where(grown != 0, 0.0, np.nan)), np.nan)
    told[np.isnan(grown)] = np.nan
    before = sequence.before(told, was)
    here: Bools = np.where(np.isnan(told), before, told) == 1
    return here & ~np.isnan(grown)
