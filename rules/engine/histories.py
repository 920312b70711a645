"""Computes the functions of a device's own past over one step, and collects what they remember.

Each is computed once per step, whichever conditions use it. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.compiled.part import Function
from rules.context.context import RuleContext
from rules.context.grouping import Grouping
from rules.context.memory.view import HistoryView
from rules.context.patch import Patch
from rules.engine.state import StateRows
from rules.language.program import Program


class HistoryResults:
    """Results for one step; `patches` are what is to be remembered after it."""

    def __init__(
        self,
        program: Program,
        context: RuleContext,
        grouping: Grouping,
        late: NDArray[np.bool_],
        rows: StateRows,
        functions: Mapping[str, Function],
    ) -> None:
        self._program = program
        self._context = context
        self._grouping = grouping
        self._late = late
        self._rows = rows
        self._functions = functions
        self._results: dict[int, Any] = {}
        self.patches: list[Patch] = []

    def past(self, index: int) -> Any:
        """Return what a history yields on every row; late rows have no past, they came out of order."""
        if index not in self._results:
            self._results[index] = self._compute(index)
        return self._results[index]

    def _compute(self, index: int) -> Any:
        history, program = self._program.histories[index], self._program
        view = HistoryView(
            context=self._context,
            grouping=self._grouping,
            late=self._late,
            gap=history.gap,
            values=self._rows.value,
            instants=self._rows.at,
            first_value=program.values[index].start,
            first_instant=program.instants[index].start,
            patches=self.patches,
            functions=self._functions,
        )
        return history.compute(view)
