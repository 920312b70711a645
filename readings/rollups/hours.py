"""Hours of devices from their readings. Pure: whole columns in, whole columns out.

What an hour holds of a measurement is said by `columns`; how long a value holds by `holding`; what a counter
grew by devices.changes, counted where the later of two readings lies, as the beginnings of cycles are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.changes import grown
from devices.columns import Columns
from devices.kinds.kind import Cycle, Measurement, ValueType
from readings.kept.columns import Part, column_name, parts_of
from readings.rollups.holding import HOUR_US, Floats, Ints, Pieces, held_us, pieces

HOUR_S = 3600.0
_SHIFT = 24
"""Hours since 1970 need so many bits beside a device's number in one key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paces:
    """How often the devices of n rows report, seconds, (n,) each.

    by_state: in the state that the row tells. slowest: in the slowest state; what is expected while nothing
    is known.
    """

    by_state: Floats
    slowest: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Spans:
    """Hours [since, until) of devices, (s,) each, in hours since 1970; in order, none meets another."""

    device_id: NDArray[np.int32]
    since: Ints
    until: Ints

    def __len__(self) -> int:
        return len(self.since)

    def take(self, rows: Any) -> Spans:
        """Return some of them, in that order."""
        return Spans(device_id=self.device_id[rows], since=self.since[rows], until=self.until[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Hours in which a device spoke or what it had said still held, s of them, in order of device and hour.

    values: by column, s each; None where nothing is known.
    """

    device_id: NDArray[np.int32]
    hour: Ints
    readings: Ints
    expected: Floats
    values: dict[str, list[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.hour)


def keys(device_id: NDArray[np.int32], hour: Ints) -> Ints:
    """Return one number for each device and hour, in their order."""
    return (device_id.astype(np.int64) << _SHIFT) | hour


def hours(rows: Columns, paces: Paces, spans: Spans) -> Hours:
    """Return the hours of `spans`.

    Args:
        rows: in order of device and instant: all readings of the spans, and around them as long as values
            hold.
    """
    held = held_us(paces.by_state)
    every = np.arange(len(rows), dtype=np.intp)
    covered = pieces(rows.device_id, rows.observed_at, held, every)
    of_rows = keys(rows.device_id, rows.observed_at // HOUR_US)
    of_pieces = keys(rows.device_id[covered.row], covered.hour)
    slots = np.unique(np.concatenate([of_rows, of_pieces]))
    slots = slots[_inside(slots, spans)]
    placed = _Placed(rows=rows, held=held, slots=slots, of_rows=_slot(slots, of_rows))
    found = Hours(
        device_id=(slots >> _SHIFT).astype(np.int32),
        hour=slots & ((1 << _SHIFT) - 1),
        readings=placed.count(every),
        expected=_expected(placed, covered, paces),
    )
    for measurement in rows.kind.measurements:
        summed = _SUMMARIES[measurement.type](measurement, placed)
        for part in parts_of(measurement):
            found.values[column_name(measurement, part)] = summed[part]
    return found


def _inside(slots: Ints, spans: Spans) -> NDArray[np.bool_]:
    since, until = keys(spans.device_id, spans.since), keys(spans.device_id, spans.until)
    place = np.searchsorted(since, slots, side="right") - 1
    inside: NDArray[np.bool_] = (place >= 0) & (slots < until[place])
    return inside


def _slot(slots: Ints, wanted: Ints) -> NDArray[np.intp]:
    """Return the slot of each key, -1 where it has none."""
    if not len(slots):
        return np.full(len(wanted), -1, dtype=np.intp)
    place = np.minimum(np.searchsorted(slots, wanted), len(slots) - 1)
    return np.where(slots[place] == wanted, place, -1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """Rows, and in which slot each lies, -1 for none."""

    rows: Columns
    held: Ints
    slots: Ints
    of_rows: NDArray[np.intp]

    def count(self, rows: NDArray[np.intp]) -> Ints:
        """Return how many of some rows lie in each slot."""
        slot = self.of_rows[rows]
        return np.bincount(slot[slot >= 0], minlength=len(self.slots))

    def total(self, rows: NDArray[np.intp], numbers: Floats) -> Floats:
        """Return by slot the sum of a number of each of some rows."""
        slot = self.of_rows[rows]
        return self.weighed(slot[slot >= 0], numbers[slot >= 0])

    def edge(self, reduce: np.ufunc, rows: NDArray[np.intp], numbers: Floats) -> Floats:
        """Return by slot the least or largest, NaN without any."""
        slot = self.of_rows[rows]
        found = np.full(len(self.slots), np.nan)
        inside = slot >= 0
        if inside.any():
            slot = slot[inside]
            first = np.flatnonzero(np.diff(slot, prepend=-1))
            found[slot[first]] = reduce.reduceat(numbers[inside], first)
        return found

    def last(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return by slot the last of some rows, -1 without any."""
        found = np.full(len(self.slots), -1, dtype=np.intp)
        slot = self.of_rows[rows]
        found[slot[slot >= 0]] = rows[slot >= 0]
        return found

    def held_pieces(self, rows: NDArray[np.intp]) -> tuple[Pieces, NDArray[np.intp]]:
        """Return for how long what some rows say held, and in which slot: only pieces that have one."""
        found = pieces(self.rows.device_id, self.rows.observed_at, self.held, rows)
        slot = _slot(self.slots, keys(self.rows.device_id[found.row], found.hour))
        inside = slot >= 0
        cut = Pieces(row=found.row[inside], hour=found.hour[inside], seconds=found.seconds[inside])
        return cut, slot[inside]

    def weighed(self, slot: NDArray[np.intp], weights: Floats) -> Floats:
        """Return sums of pieces by slot."""
        sums: Floats = np.bincount(slot, weights=weights, minlength=len(self.slots)).astype(np.float64)
        return sums


def _expected(placed: _Placed, covered: Pieces, paces: Paces) -> Floats:
    """Return how many readings each hour should hold: by the states that are known, else in the slowest."""
    rows = placed.rows
    slot = _slot(placed.slots, keys(rows.device_id[covered.row], covered.hour))
    inside = slot >= 0
    row, slot, seconds = covered.row[inside], slot[inside], covered.seconds[inside]
    slowest = np.ones(len(placed.slots))
    slowest[slot] = paces.slowest[row]
    spoke = placed.of_rows >= 0
    slowest[placed.of_rows[spoke]] = paces.slowest[spoke]
    known = placed.weighed(slot, seconds)
    return placed.weighed(slot, seconds / paces.by_state[row]) + (HOUR_S - known) / slowest


def _good(m: Measurement, placed: _Placed) -> tuple[NDArray[np.intp], dict[Part, list[Any]]]:
    """Return the rows with a value that is not marked, and what is counted of every measurement."""
    rows = placed.rows
    present = ~rows.absent(m.name)
    marked = (rows.quality >> m.bit) & 1 == 1
    good = np.flatnonzero(present & ~marked)
    last = placed.last(good)
    values = rows.values[m.name]
    cycles = {} if m.cycle is None else {Part.CYCLES: placed.count(_begun(m, m.cycle, rows, good)).tolist()}
    return good, cycles | {
        Part.COUNT: placed.count(good).tolist(),
        Part.SUSPECT: placed.count(np.flatnonzero(present & marked)).tolist(),
        Part.LAST: [
            None if row < 0 else value for row, value in zip(last, values[last].tolist(), strict=True)
        ]
        if len(values)
        else [],
    }


def _begun(m: Measurement, cycle: Cycle, rows: Columns, good: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the good rows with which a cycle begins anew: seen against the good one before."""
    follows = rows.device_id[good[1:]] == rows.device_id[good[:-1]]
    values = rows.values[m.name][good]
    if cycle.falls_by is not None:
        began = values[:-1] - values[1:] >= cycle.falls_by
    else:
        inside = np.isin(values.astype(str), cycle.into)
        began = inside[1:] & ~inside[:-1]
    found: NDArray[np.intp] = good[1:][follows & began]
    return found


def _of_number(m: Measurement, placed: _Placed) -> dict[Part, list[Any]]:
    good, found = _good(m, placed)
    values = placed.rows.values[m.name][good]
    some = placed.count(good) > 0
    found[Part.SUM] = _known(placed.total(good, values), some)
    if m.turn is not None:
        angle = np.deg2rad((values - (m.low or 0.0)) * (360 / m.turn))
        found[Part.SIN] = _known(placed.total(good, np.sin(angle)), some)
        found[Part.COS] = _known(placed.total(good, np.cos(angle)), some)
        return found
    found[Part.MIN] = _known(placed.edge(np.minimum, good, values), some)
    found[Part.MAX] = _known(placed.edge(np.maximum, good, values), some)
    if m.counter:
        return found | _growth(m, placed, good, values)
    cut, slot = placed.held_pieces(good)
    area = placed.weighed(slot, cut.seconds * placed.rows.values[m.name][cut.row])
    return found | _held(placed, cut, slot) | {Part.AREA: _known(area, placed.weighed(slot, cut.seconds) > 0)}


def _growth(m: Measurement, placed: _Placed, good: NDArray[np.intp], values: Floats) -> dict[Part, list[Any]]:
    rows = placed.rows
    follows = rows.device_id[good[1:]] == rows.device_id[good[:-1]]
    elapsed_s = (rows.observed_at[good[1:]] - rows.observed_at[good[:-1]]) / 1e6
    much = grown(values[:-1], values[1:], elapsed_s, m.most_per_h)
    known = follows & ~np.isnan(much)
    later = good[1:][known]
    return {Part.GROWN: _known(placed.total(later, much[known]), placed.count(later) > 0)}


def _of_boolean(m: Measurement, placed: _Placed) -> dict[Part, list[Any]]:
    good, found = _good(m, placed)
    values = placed.rows.values[m.name]
    found[Part.LAST] = [None if value is None else value == 1 for value in found[Part.LAST]]
    found[Part.TRUE] = placed.count(good[values[good] == 1]).tolist()
    cut, slot = placed.held_pieces(good)
    seconds = placed.weighed(slot, cut.seconds * (values[cut.row] == 1))
    known = placed.weighed(slot, cut.seconds) > 0
    return found | _held(placed, cut, slot) | {Part.SECONDS: _known(seconds, known)}


def _of_text(m: Measurement, placed: _Placed) -> dict[Part, list[Any]]:
    good, found = _good(m, placed)
    cut, slot = placed.held_pieces(good)
    seconds: list[dict[str, float] | None] = [None] * len(placed.slots)
    said = placed.rows.values[m.name][cut.row].tolist()
    for place, word, lasts in zip(slot.tolist(), said, cut.seconds.tolist(), strict=True):
        if (of_slot := seconds[place]) is None:
            of_slot = seconds[place] = {}
        of_slot[word] = of_slot.get(word, 0.0) + lasts
    return found | _held(placed, cut, slot) | {Part.SECONDS: seconds}


_Summary = Callable[[Measurement, _Placed], dict[Part, list[Any]]]
_SUMMARIES: dict[ValueType, _Summary] = {
    ValueType.NUMBER: _of_number,
    ValueType.BOOLEAN: _of_boolean,
    ValueType.TEXT: _of_text,
}


def _held(placed: _Placed, cut: Pieces, slot: NDArray[np.intp]) -> dict[Part, list[Any]]:
    covered = placed.weighed(slot, cut.seconds)
    return {Part.COVERED: _known(covered, covered > 0)}


def _known(numbers: Floats, known: NDArray[np.bool_]) -> list[Any]:
    found: Sequence[Any] = numbers.tolist()
    return [value if is_known else None for value, is_known in zip(found, known.tolist(), strict=True)]
