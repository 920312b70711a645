"""Functions of a device's own past by compiled code: each as its namesake in rules.context.memory. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.context.compiled.constants import MOST_REMEMBERED, SLOTS
from rules.context.memory import aggregates, flatness, slots
from rules.context.memory.bits import bits_of
from rules.context.memory.slots import SlotPolicy
from rules.context.memory.view import Floats, HistoryView, Instants, Rows, until_of
from rules.context.patch import Patch
from rules.definition.definition import Hold

_NO_LEVEL = np.empty(0)
_VALUE, _INSTANT, _CHANGED = 0, 1, 2


class _Call:
    """What every function is given, and room for what it says and remembers.

    kept, kept_at: (cells, g) numbers and instants, of which the first `changed` columns are the owners'.
    """

    def __init__(self, view: HistoryView, cells: tuple[int, int], *whole: int) -> None:
        groups = len(view.grouping.first)
        self._view = view
        self.whole = np.array([view.first_value, view.first_instant, 0, *whole], dtype=np.int64)
        self.late = view.late.view(np.uint8)
        self.devices = (view.grouping.first, view.grouping.last, view.grouping.state_rows)
        self.values, self.instants = view.values.T, view.instants.T
        self.owners: Rows = np.empty(groups, dtype=np.intp)
        self.kept, self.kept_at = np.empty((cells[0], groups)), np.empty((cells[1], groups), dtype=np.int64)

    def times(self) -> tuple[Instants, Instants, NDArray[np.uint8]]:
        """Return when each row was, until when the next one continues it, and whether it is late."""
        return self._view.context.observed_at, until_of(self._view), self.late

    def remember(self) -> None:
        """Keep what is to be remembered of the owners."""
        k = int(self.whole[_CHANGED])
        if not k:
            return
        owners, view = self.owners[:k], self._view
        if len(self.kept):
            view.keep_value(slice(0, len(self.kept)), owners, self.kept[:, :k].T)
        if len(self.kept_at):
            view.keep_instant(slice(0, len(self.kept_at)), owners, self.kept_at[:, :k].T)

    def remember_some(self, cell: int, owners: Rows, instants: Instants, k: int) -> None:
        """Keep some more cells of k other owners."""
        if k:
            self._view.keep_instant(slice(cell, cell + len(instants)), owners[:k], instants[:, :k].T)


def last(view: HistoryView, value: Floats) -> tuple[Floats, Floats]:
    call, before, elapsed_s = _Call(view, aggregates.LAST), np.empty(len(value)), np.empty(len(value))
    view.functions["last"](
        call.whole, *call.times(), *call.devices, call.values, call.instants,
        value, before, elapsed_s, call.owners, call.kept, call.kept_at,
    )  # fmt: skip
    call.remember()
    return before, elapsed_s


def held(view: HistoryView, value: Floats) -> Floats:
    call, result = _Call(view, aggregates.HELD), np.empty(len(value))
    view.functions["held"](
        call.whole, call.late, *call.devices, call.values, value, result, call.owners, call.kept
    )
    call.remember()
    return result


def total(view: HistoryView, value: Floats, per_us: int) -> Floats:
    call, result = _Call(view, aggregates.TOTAL, per_us), np.empty(len(value))
    view.functions["total"](
        call.whole, *call.times(), *call.devices, call.values, call.instants,
        value, result, call.owners, call.kept, call.kept_at,
    )  # fmt: skip
    call.remember()
    return result


def of_readings(view: HistoryView, truth: Floats, readings: int) -> tuple[Floats, Floats]:
    call, trues, seen = _Call(view, aggregates.BITS, readings), np.empty(len(truth)), np.empty(len(truth))
    view.functions["of_readings"](
        call.whole, *call.times(), *call.devices, call.values, call.instants,
        truth, trues, seen, call.owners, call.kept, call.kept_at,
    )  # fmt: skip
    call.remember()
    return trues, seen


def within(view: HistoryView, truth: Floats, window_us: int) -> tuple[Floats, Floats]:
    call, trues, covered = _Call(view, (0, 3), window_us, 0), np.empty(len(truth)), np.empty(len(truth))
    true_of = np.empty(len(call.owners), dtype=np.intp)
    events = np.empty((MOST_REMEMBERED, len(call.owners)), dtype=np.int64)
    view.functions["within"](
        call.whole, *call.times(), *call.devices, call.instants, truth, trues, covered,
        call.owners, call.kept_at, true_of, events, np.empty(MOST_REMEMBERED, dtype=np.int64),
    )  # fmt: skip
    call.remember()
    call.remember_some(3, true_of, events, int(call.whole[4]))
    return trues, covered


def flat(
    view: HistoryView, value: Floats, window: Hold, tolerance: float, turn: float | None = None
) -> Floats:
    by_readings = window.readings > 1 or not window.lasting_us
    call = _Call(view, flatness.CELLS, window.lasting_us, window.readings, int(by_readings))
    result = np.empty(len(value))
    view.functions["flat"](
        call.whole, np.array([tolerance, turn or 0.0]), *call.times(), *call.devices, call.values,
        call.instants, value, view.context.usual_us(), view.context.interval_us(), result,
        call.owners, call.kept, call.kept_at,
    )  # fmt: skip
    call.remember()
    return result


def interleaved(view: HistoryView, boot: Instants, seq: Instants) -> Floats:
    call, result = _Call(view, (0, 4), 0), np.empty(len(boot))
    two_of, others = (
        np.empty(len(call.owners), dtype=np.intp),
        np.empty((2, len(call.owners)), dtype=np.int64),
    )
    view.functions["interleaved"](
        call.whole, *call.times(), *call.devices, call.instants, boot, seq, result,
        call.owners, call.kept_at, two_of, others,
    )  # fmt: skip
    call.remember()
    call.remember_some(4, two_of, others, int(call.whole[3]))
    return result


def in_slots(view: HistoryView, value: Floats, level: Floats | None, policy: SlotPolicy) -> Floats:
    slopes = policy.conclude is not slots.median
    call = _Call(
        view, slots.cells(policy.levels), policy.slot_us, policy.levels, int(slopes), int(policy.near_only), 0
    )
    result, most = np.empty(len(value)), 2 * len(value)
    by, columns, learned = np.empty(most, dtype=np.intp), np.empty(most, dtype=np.intp), np.empty(most)
    view.functions["slots"](
        call.whole, view.context.observed_at, call.late, *call.devices, call.values, call.instants,
        value, _NO_LEVEL if level is None else level, result, call.owners, call.kept, call.kept_at,
        by, columns, learned,
        np.empty(len(call.kept)), np.empty(SLOTS * SLOTS), np.empty(policy.levels, dtype=np.uint8),
    )  # fmt: skip
    call.remember()
    if k := int(call.whole[7]):
        view.patches.append(Patch("value", by[:k], columns[:k], bits_of(learned[:k])))
    return result
