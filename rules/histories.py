"""What a device's own past was, for every row of a step: the engine behind delta() and rate().

Constant size per device and expression: the last decided value and its instant. Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.context import Context
from rules.grouping import Grouping
from rules.scope import History
from rules.state import Rows

Floats = NDArray[np.float64]


class Histories:
    """Looks back for one step; `rows` receives what is to be remembered after it."""

    def __init__(
        self,
        context: Context,
        grouping: Grouping,
        late: NDArray[np.bool_],
        histories: tuple[History, ...],
        rows: Rows,
    ) -> None:
        self._context = context
        self._grouping = grouping
        self._late = late
        self._histories = histories
        self._rows = rows
        self._found: dict[int, tuple[Floats, Floats]] = {}

    def previous(self, index: int) -> tuple[Floats, Floats]:
        """Return, per row, the value before it and the seconds since; NaN after silence, and at first.

        Late rows have no past: the order they belong to is gone.
        """
        if index not in self._found:
            self._found[index] = self._look_back(index)
        return self._found[index]

    def _look_back(self, index: int) -> tuple[Floats, Floats]:
        context, grouping, rows = self._context, self._grouping, self._rows
        history = self._histories[index]
        value = history.compute(context)
        observed_at = context.observed_at
        until = observed_at + history.gap.fixed_us
        until = until + (history.gap.intervals * context.interval_us()).astype(np.int64)
        counts = ~np.isnan(value) & ~self._late

        newest = np.maximum.accumulate(np.where(counts, np.arange(len(value)), -1))
        before = np.concatenate([[-1], newest[:-1]])
        here = before >= grouping.first[grouping.group]
        owner = grouping.group
        past_value = np.where(here, value[before], rows.value[owner, index])
        past_at = np.where(here, observed_at[before], rows.at[owner, index])
        past_until = np.where(here, until[before], rows.until[owner, index])

        gone = self._late | (observed_at > past_until)
        elapsed_s = np.where(gone, np.nan, (observed_at - past_at) / 1e6)
        self._remember(index, newest, value, observed_at, until)
        return np.where(gone, np.nan, past_value), elapsed_s

    def _remember(
        self,
        index: int,
        newest: NDArray[np.intp],
        value: Floats,
        observed_at: NDArray[np.int64],
        until: NDArray[np.int64],
    ) -> None:
        last = newest[self._grouping.last]
        new = last >= self._grouping.first
        rows, last = self._rows, last[new]
        rows.value[new, index] = value[last]
        rows.at[new, index] = observed_at[last]
        rows.until[new, index] = until[last]
