"""What a function of a device's own past is given: the rows of a step and what was remembered before it.

Pure. Constant size per device. The state is not altered: what is to be remembered becomes patches, which are
adopted once the batch is committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.compiled.part import Function
from rules.context.context import RuleContext
from rules.context.grouping import Grouping
from rules.context.memory.bits import bits_of, numbers_of
from rules.context.patch import Patch
from rules.definition.definition import LEAST_GAP_INTERVALS, MaxGap

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]
Cells = int | slice
"""One cell of a history, or those from a start to a stop."""


@dataclass(slots=True, kw_only=True)
class HistoryView:
    """n rows of g devices, and what is remembered of each device as of before the step.

    late: (n,) rows that have no past. values, instants: (d, ...) the whole state's, of which the history's
    own cells begin at first_value and first_instant; values as bits, see rules.context.memory.bits.
    patches: what is to be remembered after the step.
    functions: compiled ones, see rules.context.compiled; empty without.
    """

    context: RuleContext
    grouping: Grouping
    late: Bools
    gap: MaxGap
    values: NDArray[np.int64]
    instants: Instants
    first_value: int
    first_instant: int
    patches: list[Patch]
    functions: Mapping[str, Function]

    def blank(self) -> Floats:
        """Return a result that is undecided everywhere."""
        return np.full(len(self.context), np.nan)

    def value(self, cell: Cells, state_rows: Rows) -> Floats:
        """Return a remembered number of some devices, NaN at first; (k, cells) of a range of cells."""
        return numbers_of(_gather(self.values, _columns(self.first_value, cell), state_rows))

    def instant(self, cell: Cells, state_rows: Rows) -> Instants:
        """Return a remembered instant of some devices, 0 at first; (k, cells) of a range of cells."""
        return _gather(self.instants, _columns(self.first_instant, cell), state_rows)

    def keep_value(self, cell: Cells, state_rows: Rows, values: NDArray[Any]) -> None:
        """Remember a number of some devices, or a range of numbers."""
        self.patches.append(Patch("value", state_rows, _columns(self.first_value, cell), bits_of(values)))

    def keep_instant(self, cell: Cells, state_rows: Rows, instants: NDArray[Any]) -> None:
        """Remember an instant of some devices, or a range of instants."""
        self.patches.append(Patch("at", state_rows, _columns(self.first_instant, cell), instants))


def _columns(first: int, cell: Cells) -> Cells:
    return first + cell if isinstance(cell, int) else slice(first + cell.start, first + cell.stop)


def _gather(state: NDArray[Any], columns: Cells, state_rows: Rows) -> NDArray[Any]:
    # Column after column, as a state lies in memory.
    if isinstance(columns, int):
        return state[:, columns].take(state_rows)
    return state.T[columns].take(state_rows, axis=1).T


@dataclass(slots=True, kw_only=True)
class DecidedRows:
    """The k decided rows of a step, in order. All but `owners` and `last` are (k,).

    rows: where they are. whose: of which device, as rows of the state. at: observed_at. until: until when the
    next row continues this one. first: whether it is its device's first in this step. gap: whether the gap
    before it was too long, or there was no row before. owners, last: the devices that have decided rows (as
    rows of the state), and the position of each one's last.
    """

    rows: Rows
    whose: Rows
    at: Instants
    until: Instants
    first: Bools
    gap: Bools
    owners: Rows
    last: Rows

    def remember(self, view: HistoryView, *more: NDArray[Any]) -> None:
        """Keep when each device's last decided row was, until when the next one continues it, and more.

        Args:
            more: (k,) each, of which the last row's are the cells that follow.
        """
        for cell, numbers in enumerate((self.at, self.until, *more)):
            view.keep_instant(cell, self.owners, numbers[self.last])

    def since(self, begins: Bools) -> Rows:
        """Return the position of the latest row, up to each one, at which something begins; -1 before."""
        return np.maximum.accumulate(np.where(begins, np.arange(len(self.rows)), -1))


def track(view: HistoryView, decided: Bools) -> DecidedRows | None:
    """Return the rows that count, None when there are none; instants 0 and 1 are those of `remember`."""
    counts = decided & ~view.late
    if not counts.any():
        return None
    # Where the same rows count, histories share everything but what they remember.
    key = ("track", view.gap, counts.tobytes())
    shared: DecidedRows | None = view.context.shared.get(key)
    if shared is None:
        shared = view.context.shared[key] = _track(view, np.flatnonzero(counts))
        return shared
    return replace(shared, gap=_gaps(view, shared.first, shared.owners, shared.at, shared.until))


def uninterrupted_until(gap: MaxGap, context: RuleContext) -> Instants:
    """Return until when another reading continues each row, (n,) microseconds.

    That is the rule's own gap, or so many of the device's intervals where that is longer: whoever reports
    rarely is not silent in between.
    """
    intervals = max(gap.intervals, LEAST_GAP_INTERVALS)
    own = (intervals * context.interval_us()).astype(np.int64)
    until: Instants = context.observed_at + np.maximum(own, gap.fixed_us)
    return until


def until_of(view: HistoryView) -> Instants:
    """Return until when another reading continues each row by the view's gap, computed once a step."""
    return view.context.keep(("until", view.gap), lambda: uninterrupted_until(view.gap, view.context))


def _track(view: HistoryView, rows: Rows) -> DecidedRows:
    whose = view.grouping.state_rows[view.grouping.group[rows]]
    at = view.context.observed_at[rows]
    until = until_of(view)[rows]
    first = np.ones(len(rows), dtype=np.bool_)
    first[1:] = whose[1:] != whose[:-1]
    begin = np.flatnonzero(first)
    owners = whose[begin]
    return DecidedRows(
        rows=rows,
        whose=whose,
        at=at,
        until=until,
        first=first,
        gap=_gaps(view, first, owners, at, until),
        owners=owners,
        last=np.append(begin[1:], len(rows)) - 1,
    )


def _gaps(view: HistoryView, first: Bools, owners: Rows, at: Instants, until: Instants) -> Bools:
    due = np.empty_like(until)
    due[1:] = until[:-1]
    due[first] = view.instant(1, owners)
    return at > due
