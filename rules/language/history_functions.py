"""The functions of a device's own past in the expression language.

Pure. Each checks its arguments and returns what computes it (rules.context.memory).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.changes import change
from devices.kinds.kind import ValueType
from rules.context import past
from rules.context.context import RuleContext
from rules.context.memory import aggregates, flatness, senders, slots
from rules.context.memory.aggregates import MOST_REMEMBERED
from rules.context.memory.view import HistoryView
from rules.language.arguments import arguments, constant, duration, whole, window
from rules.language.scope import (
    Compiler,
    Compute,
    Expression,
    ExpressionType,
    HistoryFunction,
    wrong,
)

Function = Callable[[Compiler, ast.Call, int], Expression]
Floats = NDArray[np.float64]
Answer = tuple[Floats, Floats]

_MANY = 100_000
_ENOUGH = 3
_SLOT_LEAST_US = 1_000_000


def _remember(
    compiler: Compiler, key: str, compute: Callable[[HistoryView], Any], sizes: tuple[int, int]
) -> Callable[[RuleContext], Any]:
    """Return what yields the result of the history of this key; equal calls of one rule share it."""
    scope = compiler.scope
    position = next((i for i, h in enumerate(scope.histories) if h.key == key), len(scope.histories))
    if position == len(scope.histories):
        values, instants = sizes
        scope.histories.append(
            HistoryFunction(
                key=key, rule=scope.rule, compute=compute, gap=scope.gap, values=values, instants=instants
            )
        )
    index = scope.first_history + position
    return lambda c: c.past(index)


def _shown(compiler: Compiler, call: ast.Call, type_: ExpressionType, compute: Compute) -> Expression:
    typed = Expression(type_, compute)
    compiler.scope.shown[ast.unparse(call)] = typed
    return typed


def _change(compiler: Compiler, argument: ast.expr, depth: int) -> Callable[[RuleContext], Answer]:
    """Return what yields the change since the reading before, and the seconds since."""
    typed = compiler.wanted(argument, depth, ExpressionType.NUMBER)
    inner = typed.compute
    key = f"last({ast.unparse(argument)})"
    yielded = _remember(compiler, key, lambda v: past.last(v, inner(v.context)), aggregates.LAST)

    def changed(c: RuleContext) -> Answer:
        before, elapsed_s = yielded(c)
        return change(typed.measurement, before, inner(c), elapsed_s), elapsed_s

    return changed


def _delta(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    (argument,) = arguments(call, 1, 1, "delta(x)")
    changed = _change(compiler, argument, depth)
    return _shown(compiler, call, ExpressionType.NUMBER, lambda c: changed(c)[0])


def _rate(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    argument, per_node = arguments(call, 2, 2, 'rate(x, "1m")')
    per_s = duration(compiler, per_node, depth) / 1e6
    changed = _change(compiler, argument, depth)

    def compute(c: RuleContext) -> Floats:
        difference, elapsed_s = changed(c)
        rate: Floats = difference / elapsed_s * per_s
        return rate

    return _shown(compiler, call, ExpressionType.NUMBER, compute)


def _held(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    argument, condition_node = arguments(call, 2, 2, 'last(alt_m, flight_phase == "docked")')
    inner = compiler.wanted(argument, depth, ExpressionType.NUMBER).compute
    condition = compiler.wanted(condition_node, depth, ExpressionType.CONDITION).compute

    def compute(view: HistoryView) -> Floats:
        holds = condition(view.context) == 1
        return past.held(view, np.where(holds, inner(view.context), np.nan))

    yielded = _remember(compiler, ast.unparse(call), compute, aggregates.HELD)
    return _shown(compiler, call, ExpressionType.NUMBER, yielded)


def _total(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    argument, per_node = arguments(call, 2, 2, 'total(flow_lpm, "1m")')
    inner = _straight(compiler, argument, depth)
    per_us = duration(compiler, per_node, depth)
    yielded = _remember(
        compiler,
        ast.unparse(call),
        lambda v: past.total(v, inner(v.context), per_us),
        aggregates.TOTAL,
    )
    return _shown(compiler, call, ExpressionType.NUMBER, yielded)


def _how_often(
    compiler: Compiler, condition: ast.expr, window_node: ast.expr, depth: int
) -> Callable[[RuleContext], Answer]:
    """Return what yields how many readings of the window were true, and how many more may have been."""
    truth = compiler.wanted(condition, depth, ExpressionType.CONDITION).compute
    span = window(compiler, window_node, depth)
    key = f"of({ast.unparse(condition)}, {ast.unparse(window_node)})"
    if span.readings:
        yielded = _remember(
            compiler,
            key,
            lambda v: past.of_readings(v, truth(v.context), span.readings),
            aggregates.BITS,
        )
        return lambda c: (yielded(c)[0], span.readings - yielded(c)[1])
    yielded = _remember(
        compiler, key, lambda v: past.within(v, truth(v.context), span.lasting_us), aggregates.EVENTS
    )
    return lambda c: (yielded(c)[0], np.where(yielded(c)[1] == 1, 0.0, MOST_REMEMBERED))


def _count(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    condition, window_node = arguments(call, 2, 2, 'count(fill_pct > 80, "30m")')
    often = _how_often(compiler, condition, window_node, depth)

    def compute(c: RuleContext) -> Floats:
        trues, unknown = often(c)
        return np.where(unknown == 0, trues, np.nan)

    return _shown(compiler, call, ExpressionType.NUMBER, compute)


def _n_of(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    form = 'n_of(fill_pct > 80, 2, 3) or n_of(fill_pct > 80, 2, "30m")'
    condition, least_node, window_node = arguments(call, 3, 3, form)
    if isinstance(window_node, ast.Constant) and isinstance(window_node.value, int):
        readings = whole(compiler, window_node, depth, 1, MOST_REMEMBERED)
        window_node = ast.copy_location(ast.Constant(f"{readings} readings"), window_node)
    least = whole(compiler, least_node, depth, 1, MOST_REMEMBERED)
    often = _how_often(compiler, condition, window_node, depth)

    def compute(c: RuleContext) -> Floats:
        trues, unknown = often(c)
        # Missing readings may have been true: it is false only where that would not be enough either.
        never = np.where(trues + unknown < least, 0.0, np.nan)
        return np.where(trues >= least, 1.0, never)

    return _shown(compiler, call, ExpressionType.CONDITION, compute)


def _flat(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    argument, window_node, tolerance_node = arguments(call, 3, 3, 'flat(distance_mm, "72h", 5)')
    typed = compiler.wanted(argument, depth, ExpressionType.NUMBER)
    inner, turn = typed.compute, typed.measurement.turn if typed.measurement else None
    span = window(compiler, window_node, depth, most_readings=_MANY)
    tolerance = constant(compiler, tolerance_node, depth)
    if tolerance < 0:
        raise wrong(tolerance_node, "a tolerance is not negative")
    yielded = _remember(
        compiler,
        ast.unparse(call),
        lambda v: past.flat(v, inner(v.context), span, tolerance, turn),
        flatness.CELLS,
    )
    return _shown(compiler, call, ExpressionType.CONDITION, yielded)


def _interleaved(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "interleaved()")
    yielded = _remember(
        compiler,
        ast.unparse(call),
        lambda v: past.interleaved(v, *v.context.numbers()),
        senders.CELLS,
    )
    return Expression(ExpressionType.CONDITION, yielded)


def _straight(compiler: Compiler, argument: ast.expr, depth: int) -> Compute:
    """Compile a number whose sums mean something: angles have none."""
    typed = compiler.wanted(argument, depth, ExpressionType.NUMBER)
    if typed.measurement is not None and typed.measurement.circular:
        raise wrong(argument, f"{typed.measurement.name} goes around: use delta, rate or flat")
    return typed.compute


def _frozen(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    (window_node,) = arguments(call, 1, 1, 'frozen("24h")')
    span = window(compiler, window_node, depth, most_readings=_MANY)
    kind = compiler.scope.kind
    names = [m.name for m in kind.measurements if m.type is ValueType.NUMBER and not m.counter]

    def fingerprint(c: RuleContext) -> Floats:
        return c.keep("fingerprint", lambda: _fingerprint(c, names))

    yielded = _remember(
        compiler,
        ast.unparse(call),
        lambda v: past.flat(v, fingerprint(v.context), span, 0.0),
        flatness.CELLS,
    )
    return _shown(compiler, call, ExpressionType.CONDITION, yielded)


def _fingerprint(context: RuleContext, names: Sequence[str]) -> Floats:
    """Return one number of each row, the same as before only if no value has changed, come or gone."""
    total, present = np.zeros(len(context)), np.zeros(len(context), dtype=np.int16)
    for number, name in enumerate(names, start=1):
        value = context.measured(name)
        missing = np.isnan(value)
        many = np.count_nonzero(missing)
        if many == len(value):
            continue
        # Irrational weights: changes do not cancel each other. The offset tells 0 from missing.
        weighed = value + 7919.0
        weighed *= np.sqrt(number + 0.5)
        if many:
            np.copyto(weighed, 0.0, where=missing)
        total += weighed
        present += ~missing
    # One or two coarse values often stay the same in good order.
    return np.where(present >= _ENOUGH, total, np.nan)[context.order]


def _slots(conclude: Callable[[int], slots.Conclude], near_only: bool, form: str) -> Function:
    def function(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
        argument, window_node, *level_node = arguments(call, 2, 3, form)
        inner = _straight(compiler, argument, depth)
        slot_us = duration(compiler, window_node, depth) // slots.SLOTS
        if slot_us < _SLOT_LEAST_US:
            raise wrong(window_node, "a window is at least 8s")
        level = compiler.wanted(level_node[0], depth, ExpressionType.NUMBER).compute if level_node else None
        policy = slots.SlotPolicy(
            slot_us=slot_us,
            levels=slots.LEVELS if level else 1,
            conclude=conclude(slot_us),
            near_only=near_only,
        )

        def compute(view: HistoryView) -> Floats:
            levels = level(view.context) if level else None
            return past.in_slots(view, inner(view.context), levels, policy)

        yielded = _remember(compiler, ast.unparse(call), compute, slots.cells(policy.levels))
        return _shown(compiler, call, ExpressionType.NUMBER, yielded)

    return function


PAST: Mapping[str, Function] = {
    "delta": _delta,
    "rate": _rate,
    "last": _held,
    "total": _total,
    "count": _count,
    "n_of": _n_of,
    "flat": _flat,
    "frozen": _frozen,
    "interleaved": _interleaved,
    "baseline": _slots(lambda _: slots.median, True, 'baseline(x, "16d") or baseline(x, "16d", dim_pct)'),
    "trend": _slots(slots.slope, False, 'trend(battery_pct, "16d")'),
}
