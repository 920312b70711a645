"""What the evaluator remembers: flat arrays, one row per device, and the changes of a step.

A step does not alter a state; it returns StateChanges, which are adopted after the commit or dropped. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.row_index import RowIndex
from rules.context.memory.pace import PaceRows, blank_pace
from rules.context.patch import Patch
from rules.language.program import Program


@dataclass(slots=True, kw_only=True)
class StateRows:
    """Rows of a state: d devices, l levels, r rules. Instants are microseconds, 0 is none.

    Column after column in memory (Fortran order): a step reads few columns of many devices. A device that
    never reported has rows of 0. Most columns of most devices are 0 for good, and take no memory as long as
    nothing else is written there (`put`).

    watermark: (d,) newest observed_at. on, count, start, due: (d, l) whether the level is on; the readings
    in its present run; when that run began; after when a reading starts a new run. ended: (d, r) when the
    last alert resolved. value, at: (d, v), (d, a) what histories remember: numbers, as bits
    (rules.context.memory.bits), and instants. gap, gaps, slow_at, slow_until, brisk_since, wait_us: how often
    the device reports, see rules.context.memory.pace.PaceRows.
    """

    watermark: NDArray[np.int64]
    on: NDArray[np.bool_]
    count: NDArray[np.int32]
    start: NDArray[np.int64]
    due: NDArray[np.int64]
    ended: NDArray[np.int64]
    value: NDArray[np.int64]
    at: NDArray[np.int64]
    gap: NDArray[np.int8]
    gaps: NDArray[np.int64]
    slow_at: NDArray[np.int64]
    slow_until: NDArray[np.int64]
    brisk_since: NDArray[np.int64]
    wait_us: NDArray[np.int64]

    @classmethod
    def room(cls, devices: int, program: Program) -> StateRows:
        """Return room for so many devices, all 0; it takes memory as something else is written there."""
        levels, rules = program.level_count, len(program.rules)
        return cls(
            on=np.zeros((devices, levels), dtype=np.bool_, order="F"),
            count=np.zeros((devices, levels), dtype=np.int32, order="F"),
            start=np.zeros((devices, levels), dtype=np.int64, order="F"),
            due=np.zeros((devices, levels), dtype=np.int64, order="F"),
            ended=np.zeros((devices, rules), dtype=np.int64, order="F"),
            value=np.zeros((devices, program.value_count), dtype=np.int64, order="F"),
            at=np.zeros((devices, program.instant_count), dtype=np.int64, order="F"),
            **{f.name: blank_pace(f.name, devices) for f in fields(PaceRows)},
        )

    def pace(self) -> PaceRows:
        """Return what is remembered of how often devices report."""
        return PaceRows(**{f.name: getattr(self, f.name) for f in fields(PaceRows)})

    def take(self, state_rows: NDArray[np.intp]) -> StateRows:
        """Return copies of some rows."""
        return StateRows(
            **{f.name: getattr(self, f.name).T.take(state_rows, axis=-1).T for f in fields(StateRows)}
        )

    def begin_with(self, rows: StateRows, size: int) -> None:
        """Overwrite the first `size` rows with those of another state."""
        for f in fields(StateRows):
            for mine, other in zip(
                _columns(getattr(self, f.name)), _columns(getattr(rows, f.name)), strict=True
            ):
                put(mine, slice(size), other[:size])


def _columns(array: NDArray[Any]) -> list[NDArray[Any]]:
    return [array] if array.ndim == 1 else list(array.T)


def put(column: NDArray[Any], state_rows: NDArray[np.intp] | slice, values: NDArray[Any]) -> None:
    """Write into rows of a column, unless all of it is 0 and so is what stands there."""
    if (len(values) and values[0]) or values.any() or column[state_rows].any():
        column[state_rows] = values


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedDevices:
    """By which pace devices are missed as of their last reading, (g,): times their kind's interval."""

    device_id: NDArray[np.int32]
    pace: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanges:
    """What a step changed in a state. paced: None where every device keeps its kind's pace, as before."""

    patches: tuple[Patch, ...]
    paced: PacedDevices | None = None

    def within(self, state_rows: NDArray[np.intp]) -> StateChanges:
        """Return the changes of some rows, ascending, as changes of `take(state_rows)`."""
        return StateChanges(patches=tuple(_within(patch, state_rows) for patch in self.patches))

    def apply(self, rows: StateRows) -> None:
        """Make the changes in the rows of a state, or in a copy of them all."""
        for patch in self.patches:
            _apply(getattr(rows, patch.name), patch)


def _within(patch: Patch, state_rows: NDArray[np.intp]) -> Patch:
    place = np.minimum(np.searchsorted(state_rows, patch.state_rows), len(state_rows) - 1)
    kept = np.flatnonzero(state_rows[place] == patch.state_rows)
    columns = patch.columns[kept] if isinstance(patch.columns, np.ndarray) else patch.columns
    return Patch(patch.name, place[kept], columns, patch.values[kept])


def _apply(array: NDArray[Any], patch: Patch) -> None:
    columns, state_rows, values = patch.columns, patch.state_rows, patch.values
    if columns is None:
        array[state_rows] = values
    elif isinstance(columns, int):
        put(array[:, columns], state_rows, values)
    elif isinstance(columns, slice):
        for number, column in enumerate(range(columns.start, columns.stop)):
            put(array[:, column], state_rows, values[:, number])
    else:
        array[state_rows, columns] = values


class RuleState:
    """The state of one kind's rules; `index` says which row of `rows` belongs to which device.

    Rows behind the last device's are room, all 0.
    """

    def __init__(self, program: Program, devices: int = 0) -> None:
        """Begin blank, with room for so many devices; there may be more, then all of it is copied."""
        self.program = program
        self.index = RowIndex()
        self.rows = StateRows.room(devices, program)

    def rows_of(self, device_ids: NDArray[np.int32]) -> NDArray[np.intp]:
        """Return the row of each device; one seen for the first time gets a blank row."""
        known = len(self.index)
        state_rows = self.index.of(device_ids)
        if len(self.index) > len(self.rows.watermark):
            rows = StateRows.room(self.index.capacity, self.program)
            rows.begin_with(self.rows, known)
            self.rows = rows
        return state_rows

    def adopt(self, changes: StateChanges) -> None:
        """Make changes part of the state: their batch is committed."""
        changes.apply(self.rows)

    def copy(self) -> RuleState:
        """Return an independent copy in which every device has the same row."""
        copy = RuleState(self.program, len(self.rows.watermark))
        copy.index = self.index.copy()
        copy.rows.begin_with(self.rows, len(self.index))
        return copy
