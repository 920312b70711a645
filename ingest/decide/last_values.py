"""What cannot be told of a value without the one before it: a sensor's code, a counter faster than time.

The value before is the one that arrived before. Those of all devices of a kind that have reported are kept in
memory: `judge` marks rows and remembers them, `committed` or `rolled_back` says whether that
stands. Must not know the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

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
_LEAPS: Final = np.inf
"""What is remembered instead of a code after which a device sent other readings: nothing confirms it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sequence:
    """n rows of g devices, each device's together in arrival order.

    order: (n,) their places in the columns, None where that is the order of the columns and no device has two
    rows. devices: (g,) their rows of the memory. group: (n,) 0..g-1. begins: (n,) the place here at which
    each row's device begins. last: (g,) the place here of each device's last row.
    """

    order: Rows | None
    devices: Rows
    group: Rows
    begins: Rows
    last: Rows

    def sorted(self, column: NDArray[Any]) -> NDArray[Any]:
        """Return a column in this order."""
        return column if self.order is None else column[self.order]

    def before(self, value: Floats, at_first: Floats) -> Floats:
        """Return the known value before each row: of this batch, or else what was remembered.

        Args:
            value: (n,) in this order, NaN where unknown. at_first: (g,) remembered of each device.
        """
        if self.order is None:
            return at_first
        known = np.maximum.accumulate(np.where(np.isnan(value), -1, np.arange(len(value))))
        previous = np.append(-1, known[:-1])
        return np.where(previous >= self.begins, value[previous], at_first[self.group])

    def interrupted(self, value: Floats) -> Bools:
        """Tell where rows of this batch without the value lie between a row and the value before, (n,)."""
        places = np.arange(len(value))
        known = np.maximum.accumulate(np.where(np.isnan(value), -1, places))
        previous = np.maximum(np.append(-1, known[:-1]), self.begins - 1)
        result: Bools = places - 1 > previous
        return result

    def final(self, value: Floats, at_first: Floats) -> Floats:
        """Return the newest known value of each device, (g,); see `before`."""
        if self.order is None:
            return np.where(np.isnan(value), at_first, value)
        known = np.maximum.accumulate(np.where(np.isnan(value), -1, np.arange(len(value))))[self.last]
        return np.where(known >= self.begins[self.last], value[known], at_first)


def _sequence(rows: Rows, scratch: Rows) -> _Sequence:
    """Return rows of the memory as a sequence; `scratch` holds a number for every row of it."""
    places = np.arange(len(rows))
    scratch[rows] = places
    if (scratch[rows] == places).all():
        return _Sequence(order=None, devices=rows, group=places, begins=places, last=places)
    # numpy sorts numbers of two bytes by radix, which is faster than comparing.
    few = len(scratch) <= np.iinfo(np.uint16).max
    order = np.argsort(rows.astype(np.uint16) if few else rows, kind="stable")
    ordered = rows[order]
    changes = np.append(True, ordered[1:] != ordered[:-1])
    first, group = np.flatnonzero(changes), np.cumsum(changes) - 1
    return _Sequence(
        order=order,
        devices=ordered[first],
        group=group,
        begins=first[group],
        last=np.append(first[1:], len(ordered)) - 1,
    )


class LastValues:
    """The last known values of the devices of one kind, of those measurements that are judged by them."""

    def __init__(self, kind: Kind) -> None:
        self.watched = [m for m in kind.measurements if m.codes or m.most_per_h]
        self._kind = kind
        self._index = RowIndex()
        self._marked = np.zeros(0, dtype=np.int64)
        self._scratch = np.zeros(0, dtype=np.intp)
        # A row a device: the value of each watched measurement, then when it was observed.
        self._cells = np.full((0, 2 * len(self.watched)), np.nan)
        self._undo: tuple[Rows, Ints, Floats] | None = None

    def remember(
        self, name: str, device_id: NDArray[np.int32], value: Floats, at: Ints, marked: Bools
    ) -> None:
        """Adopt stored values of one watched measurement, one a device; (n,) each, `at` in microseconds."""
        rows = self._rows(device_id)
        watched = [m.name for m in self.watched].index(name)
        self._cells[rows, watched] = value
        self._cells[rows, len(self.watched) + watched] = at
        bit = 1 << self.watched[watched].bit
        self._marked[rows] = np.where(marked, self._marked[rows] | bit, self._marked[rows] & ~bit)

    def judge(self, columns: Columns, parts: Bools | None = None) -> Ints:
        """Return the quality bits of rows, (n,), with those that the values before them add.

        Args:
            parts: (n,) rows that may be parts of readings: a value that they lack may come in another part.
        """
        if not len(columns):
            return columns.quality
        sequence = _sequence(self._rows(columns.device_id), self._scratch)
        devices = sequence.devices
        marked, cells = self._marked[devices], self._cells[devices]
        self._undo = (devices, marked, cells)
        quality, kept = sequence.sorted(columns.quality).copy(), cells.copy()
        for position, measurement in enumerate(self.watched):
            value = sequence.sorted(columns.values[measurement.name])
            past = cells[:, position]
            absent = bool(np.isnan(value).all())
            known = past if absent else sequence.final(value, past)
            part = None if parts is None else sequence.sorted(parts)
            kept[:, position] = _remembered(measurement, value, known, sequence, part)
            if absent:
                continue
            before = sequence.before(value, past)
            if (code := _code(measurement, value, before, sequence, part)) is not None:
                quality |= code * (1 << measurement.bit | UNCONFIRMED)
            if measurement.most_per_h is not None:
                was = (marked >> measurement.bit & 1).astype(np.float64)
                hours = self._hours(position, value, columns.observed_at, sequence, kept)
                fast = _too_fast(value - before, hours, measurement.most_per_h, was, sequence)
                if fast is not None:
                    quality |= fast.astype(np.int64) << measurement.bit
        self._cells[devices] = kept
        self._confirm(columns, sequence, quality, marked)
        if sequence.order is None:
            return quality
        judged = np.empty_like(quality)
        judged[sequence.order] = quality
        return judged

    def committed(self) -> None:
        """Keep what `judge` has remembered."""
        self._undo = None

    def rolled_back(self) -> None:
        """Forget what `judge` has remembered since `committed`."""
        if self._undo is not None:
            devices, self._marked[devices], self._cells[devices] = self._undo
            self._undo = None

    def _hours(
        self, position: int, value: Floats, observed_at: Ints, sequence: _Sequence, kept: Floats
    ) -> Floats:
        """Return the hours since the value before, (n,), NaN where unknown; keep the time of the newest.

        Args:
            value: (n,) in the sequence's order; observed_at: (n,) in that of the columns. kept: (g, cells).
        """
        at = sequence.sorted(observed_at).astype(np.float64)
        at[np.isnan(value)] = np.nan
        cell = len(self.watched) + position
        past_at = kept[:, cell].copy()
        kept[:, cell] = sequence.final(at, past_at)
        return (at - sequence.before(at, past_at)) / HOUR_US

    def _confirm(self, columns: Columns, sequence: _Sequence, quality: Ints, marked: Ints) -> None:
        """Add UNCONFIRMED to rows in which something is marked that was not before; remember what is.

        Args:
            quality: (n,) in the sequence's order. marked: (g,) what was marked before.
        """
        wanted = int(np.bitwise_or.reduce(quality)) | int(np.bitwise_or.reduce(marked))
        if not wanted & self._kind.measurement_mask:
            return
        fresh = np.zeros(len(quality), dtype=np.bool_)
        now = marked.copy()
        for measurement in self._kind.measurements:
            if not wanted >> measurement.bit & 1:
                continue
            suspect = (quality >> measurement.bit & 1).astype(np.float64)
            suspect[sequence.sorted(columns.absent(measurement.name))] = np.nan
            was = (marked >> measurement.bit & 1).astype(np.float64)
            fresh |= (suspect == 1) & (sequence.before(suspect, was) == 0)
            last = sequence.final(suspect, was).astype(np.int64) << measurement.bit
            now = now & ~(1 << measurement.bit) | last
        quality[fresh] |= UNCONFIRMED
        self._marked[sequence.devices] = now

    def _rows(self, device_id: NDArray[np.int32]) -> Rows:
        rows = self._index.of(device_id)
        more = self._index.capacity - len(self._marked)
        if more > 0:
            self._marked = np.append(self._marked, np.zeros(more, dtype=np.int64))
            self._scratch = np.append(self._scratch, np.zeros(more, dtype=np.intp))
            self._cells = np.append(self._cells, np.full((more, self._cells.shape[1]), np.nan), axis=0)
        return rows


def _remembered(
    measurement: Measurement, value: Floats, known: Floats, sequence: _Sequence, part: Bools | None
) -> Floats:
    """Return what is kept of each device, (g,), given values (n,) and the newest known one of each (g,)."""
    lacks = np.isnan(value[sequence.last])
    if part is not None:
        lacks &= ~part[sequence.last]
    if not measurement.codes or not lacks.any():
        return known
    return np.where(lacks & np.isin(known, measurement.codes), _LEAPS, known)


def _code(
    measurement: Measurement, value: Floats, before: Floats, sequence: _Sequence, part: Bools | None
) -> Ints | None:
    """Tell where a value is a code that nothing confirms, (n,) 0 or 1, None where none is.

    It came with a leap, or the same was said before, but not by the reading before: a broken sensor says
    it now and then. Without a value before there is no leap: comparisons with NaN are false.
    """
    if not measurement.codes or not (code := np.isin(value, measurement.codes)).any():
        return None
    again = sequence.interrupted(value) & np.isin(before, measurement.codes)
    if part is not None:
        again &= ~part
    return (code & ((np.abs(value - before) > measurement.leap) | again)).astype(np.int64)


def _too_fast(
    grown: Floats, hours: Floats, most_per_h: float, was: Floats, sequence: _Sequence
) -> Bools | None:
    """Tell where a counter grew faster than it can, (n,); it stays so until it grows as it can, or falls.

    Args:
        grown, hours: (n,) since the value before, NaN where unknown. was: (g,) whether it was so before.

    Returns:
        None where nothing is.
    """
    # An hour's worth more than the time allows: counters of whole hours or units step.
    fast = (grown > FASTER * most_per_h * hours + most_per_h) & (hours >= 0)
    if not fast.any() and not was.any():
        return None
    told = np.where(hours >= 0, np.where(fast, 1.0, np.where(grown != 0, 0.0, np.nan)), np.nan)
    told[np.isnan(grown)] = np.nan
    here: Bools = np.where(np.isnan(told), sequence.before(told, was), told) == 1
    return here & ~np.isnan(grown)
