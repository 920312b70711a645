"""From decoded elements to rows to store: times, order, duplicates within the batch, quality, derived values.

Pure and vectorised; `now` is in the receive times. Must not know the database or a broker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING, Columns
from devices.kinds.kind import CLOCK_CORRECTED, Kind
from devices.wire import Decoded, Reason
from ingest.decide import words
from ingest.decide.clocks import Clocks, DatedRows, date, date_by_receipt
from ingest.decide.quality import quality, suspect_values

Attributes = Mapping[str, NDArray[np.float64]]
"""Numeric attributes of one kind, each indexed by device id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that is not stored: its index among the decoded rows, and why."""

    row: int
    reason: Reason
    detail: str
    member: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merging:
    """Rows, of n, whose devices may say one reading in several messages.

    row: (n,) bool. part: (n,) bool, those of them that say more of an instant of which another row was first.
    attributes: what the kind's derived values need, to derive them again of the whole.
    """

    row: NDArray[np.bool_]
    part: NDArray[np.bool_]
    attributes: Attributes


@dataclass(slots=True, kw_only=True)
class Accepted:
    """What became of the n decoded rows of one kind.

    columns: rows with a key of their own in this batch, in arrival order; among them, further parts of some.
    row: (len(columns),) index of each among the decoded rows.
    told: (len(columns),) microseconds of device time, as sent.
    reported: measurements that may be derived, as sent: a duplicate is compared with these.
    repeats: rows that repeat another row of this batch.
    merging: which rows may be parts of readings; None where none may.
    """

    columns: Columns
    row: NDArray[np.int64]
    told: NDArray[np.int64]
    reported: dict[str, NDArray[np.float64]]
    repeats: Columns
    refusals: list[RejectedRow] = field(default_factory=list)
    merging: Merging | None = None


def accept(
    kind: Kind,
    decoded: Decoded,
    *,
    device_id: NDArray[np.int32],
    received_at: NDArray[np.int64],
    clocks: Clocks,
    retention: int,
    attributes: Attributes,
    merging: NDArray[np.bool_] | None = None,
    relay: NDArray[np.int64] | None = None,
    told_by_us: NDArray[np.bool_] | None = None,
) -> Accepted:
    """Decide about the decoded rows of one kind.

    Args:
        kind: what the rows are readings of.
        decoded: n rows; rows of one message about one device are adjacent.
        device_id: (n,) registry ids.
        received_at: (n,) microseconds, the same within a message and differing between messages.
        clocks: known clock offsets; what is learnt is added.
        retention: how far back a reading may lie, in microseconds.
        attributes: what the kind's derived values need.
        merging: whose readings may come in parts, indexed by device id; None where nobody's may.
        relay: (n, 2) numbers that gateways wrote, as in Columns.
        told_by_us: as in `date`.
    """
    starts = _groups(decoded.message, device_id)
    dated = date(
        instant=decoded.instant,
        device_id=device_id,
        received_at=received_at,
        starts=starts,
        clocks=clocks,
        retention=retention,
        told_by_us=told_by_us,
    )
    refusals = [
        RejectedRow(row=row, reason=Reason.BAD_TIME, detail=why, member="ts")
        for row, why in dated.bad.items()
    ]
    order = _arrival_order(dated.observed_at, starts)
    if dated.bad:
        order = order[~np.isin(order, list(dated.bad))]
    columns = Columns(
        kind=kind,
        device_id=device_id,
        observed_at=dated.observed_at,
        received_at=received_at,
        quality=dated.quality,
        boot=decoded.boot,
        seq=decoded.seq,
        values=words.fold(kind, decoded.values),
        extra=decoded.extra,
        message=decoded.message,
        relay=relay,
    )
    if len(order) != len(columns) or (np.diff(order) != 1).any():
        columns = columns.take(order)
    keep, again, conflicts, parts = _first_of_each_key(columns, merging)
    stuck = _of_clocks_that_stand_still(columns, conflicts)
    if stuck:
        columns = by_receipt(columns, np.array(sorted(stuck), dtype=np.intp))
        arrival = np.lexsort((columns.observed_at, columns.message))
        columns, order = columns.take(arrival), order[arrival]
        keep, again, conflicts, parts = _first_of_each_key(columns, merging)
    refusals += [
        RejectedRow(row=int(order[row]), reason=Reason.CONFLICT, detail="another reading of this instant")
        for row in conflicts
    ]
    again += _taken_as_right(columns, decoded.instant[order], keep)
    repeats = columns.take(np.array(again, dtype=np.int64))
    keep[again] = False
    keep[parts] = True
    part = np.isin(np.flatnonzero(keep), parts) if merging is not None else None
    if not keep.all():
        columns, order = columns.take(keep), order[keep]
    reported = {d.measurement: columns.values[d.measurement] for d in kind.derived}
    judge_alone(columns, attributes)
    return Accepted(
        columns=columns,
        row=order,
        told=decoded.instant[order],
        reported=reported,
        repeats=repeats,
        refusals=refusals,
        merging=None
        if merging is None or part is None
        else Merging(row=merging[columns.device_id], part=part, attributes=attributes),
    )


def judge_alone(columns: Columns, attributes: Attributes) -> None:
    """Mark what cannot be in rows by themselves, and derive what their devices did not report."""
    kind = columns.kind
    columns.quality = columns.quality | quality(columns)
    _derive(columns, attributes)
    for derived in kind.derived:
        # Derived values can be out of range too.
        suspect = suspect_values(kind.measurement(derived.measurement), columns)
        if suspect is not None:
            bit = kind.measurement(derived.measurement).bit
            columns.quality = columns.quality | suspect.astype(np.int64) << bit


def _groups(message: NDArray[np.int32], device_id: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the first row of each run of rows of one message about one device."""
    if not len(message):
        return np.empty(0, dtype=np.int64)
    changes = (np.diff(message) != 0) | (np.diff(device_id) != 0)
    return np.concatenate(([0], np.flatnonzero(changes) + 1))


def _arrival_order(observed_at: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return row indexes: groups as they came, rows within a group by observed_at."""
    n = len(observed_at)
    if len(starts) == n:
        return np.arange(n)
    group = np.zeros(n, dtype=np.int64)
    group[starts[1:]] = 1
    return np.lexsort((observed_at, np.cumsum(group)))


def _first_of_each_key(
    columns: Columns, merging: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_], list[int], dict[int, int], list[int]]:
    """Tell the first row of each (device, instant), repeats of it, conflicts with it, and parts beside it.

    Returns:
        (len(columns),) bool, the first rows; the rows that are repeats; the first row of each that
        conflicts with it; and those that are another part of it, or may be, as their devices' are.
    """
    keep = np.ones(len(columns), dtype=np.bool_)
    by_key = np.lexsort((columns.observed_at, columns.device_id))
    same = (np.diff(columns.observed_at[by_key]) == 0) & (np.diff(columns.device_id[by_key]) == 0)
    if not same.any():
        return keep, [], {}, []
    repeats: list[int] = []
    parts: list[int] = []
    conflicts: dict[int, int] = {}
    # lexsort is stable: within one key, rows are in arrival order.
    begins = np.flatnonzero(np.append(True, ~same))
    again = np.flatnonzero(same) + 1
    firsts = by_key[begins[begins.searchsorted(again) - 1]]
    for first, current in zip(firsts.tolist(), by_key[again].tolist(), strict=True):
        keep[current] = False
        if equal(columns, first, current):
            repeats.append(current)
        elif merging is not None and merging[columns.device_id[current]]:
            parts.append(current)
        else:
            conflicts[current] = first
    return keep, repeats, conflicts, parts


def _of_clocks_that_stand_still(columns: Columns, conflicts: Mapping[int, int]) -> set[int]:
    """Return the rows whose clock stands still, and the first of an instant where its message shows it."""
    stuck = set()
    for row, first in conflicts.items():
        boot, seq = (None if n == MISSING else int(n) for n in (columns.boot[first], columns.seq[first]))
        if stands_still(columns, row, boot, seq):
            stuck |= {row, first} if columns.message[row] == columns.message[first] else {row}
    return stuck


def stands_still(columns: Columns, row: int, boot: int | None, seq: int | None) -> bool:
    """Tell whether a row that conflicts with another of its instant proves that its clock stands still.

    It does with a number of its own. Without numbers it does where the clock is known to be ahead.

    Args:
        boot, seq: numbers of the other reading, None where it has none.
    """
    if columns.seq[row] == MISSING:
        return bool(columns.quality[row] & CLOCK_CORRECTED)
    own_boot = None if columns.boot[row] == MISSING else int(columns.boot[row])
    return seq is not None and (boot, seq) != (own_boot, int(columns.seq[row]))


def by_receipt(columns: Columns, rows: NDArray[np.intp]) -> Columns:
    """Return the columns with some rows, ascending, dated by when they were received."""
    dated = DatedRows(observed_at=columns.observed_at.copy(), quality=columns.quality & ~CLOCK_CORRECTED)
    dated.quality = np.where(np.isin(np.arange(len(columns)), rows), dated.quality, columns.quality)
    date_by_receipt(dated, rows, columns.device_id, columns.received_at)
    return replace(columns, observed_at=dated.observed_at, quality=dated.quality)


def _taken_as_right(columns: Columns, told: NDArray[np.int64], keep: NDArray[np.bool_]) -> list[int]:
    """Return the rows, of those to keep, that repeat another row whose time was taken as right.

    Only (boot, seq) can tell: a clock that is set back yields the same times twice.
    """
    numbered = keep & columns.numbered()
    corrected = numbered & (columns.quality & CLOCK_CORRECTED > 0)
    if not corrected.any():
        return []

    def keys(rows: NDArray[np.int64]) -> Iterator[tuple[int, ...]]:
        parts = columns.device_id, columns.boot, columns.seq, told
        return zip(*(part[rows].tolist() for part in parts), strict=True)

    again = np.flatnonzero(corrected)
    right = np.flatnonzero(numbered & ~corrected & np.isin(columns.device_id, columns.device_id[again]))
    rows = dict(zip(keys(right), right.tolist(), strict=True))
    return [
        row
        for row, key in zip(again.tolist(), keys(again), strict=True)
        if key in rows and equal(columns, rows[key], row)
    ]


def equal(columns: Columns, one: int, other: int) -> bool:
    """Tell whether two rows report the same content; `boot` and `seq` are delivery, not content."""
    if columns.unknown(one) != columns.unknown(other):
        return False
    return all(
        values[one] == values[other] or (values[one] != values[one] and values[other] != values[other])
        for values in columns.values.values()
    )


def _derive(columns: Columns, attributes: Attributes) -> None:
    """Compute what the devices did not report, in place of the absent values."""
    for derived in columns.kind.derived:
        reported = columns.values[derived.measurement]
        absent = np.isnan(reported)
        if not absent.any():
            continue
        inputs = {name: columns.good(name)[absent] for name in derived.inputs}
        if not all((~np.isnan(values)).any() for values in inputs.values()):
            continue
        known = {name: attributes[name][columns.device_id[absent]] for name in derived.attributes}
        values = reported.copy()
        values[absent] = derived.compute(inputs, known)
        columns.values = {**columns.values, derived.measurement: values}
