"""What the evaluator computed, recorded by traces: levels and terms with their values, and why undecided.

Pure. Must not know how the evaluator was run (rules.explain.explain), nor sentences (rules.explain.texts).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import Kind, ValueType
from rules.context.context import RuleContext
from rules.definition.definition import Definition, Hold
from rules.engine.state import StateRows
from rules.explain.explanation import Level, Missing, Term, TruthValue, UndecidedCause, UndecidedReason
from rules.explain.terms import LEFT, RIGHT, Leaf
from rules.language.functions import READS
from rules.language.history_functions import PAST
from rules.language.program import CompiledRule
from rules.language.scope import Compute


class Trace:
    """Replaces a compiled condition: computes the same, and keeps the result and the values it compared."""

    def __init__(self, compute: Compute, shown: dict[str, Any]) -> None:
        self._compute = compute
        self._shown = shown
        self.result: NDArray[np.float64] = np.empty(0)
        self.values: dict[str, NDArray[Any]] = {}

    def __call__(self, context: RuleContext) -> NDArray[Any]:
        self.result = self._compute(context)
        self.values = {name: typed.compute(context) for name, typed in self._shown.items()}
        return self.result


def levels(
    definition: Definition, rule: CompiledRule, traces: list[Trace], rows: StateRows, row: int | None
) -> tuple[Level, ...]:
    """Return the status of each level of a rule.

    Args:
        traces: of its conditions, lowest level first. rows: the device's state. row: the reading that counts.
    """
    found = []
    for index, severity in enumerate(rule.severities):
        column = rule.first_level + index
        reached, count = bool(rows.on[0, column]), int(rows.count[0, column])
        hold = definition.keep_firing if reached else definition.hold
        start, due = int(rows.start[0, column]), int(rows.due[0, column])
        found.append(
            Level(
                severity=severity,
                condition=rule.conditions[index],
                reached=reached,
                truth=TruthValue.UNDECIDED if row is None else _truth(traces[index].result[row]),
                since=start if count else None,
                missing=_missing(hold, count, int(rows.watermark[0]) - start, due) if count else None,
            )
        )
    return tuple(found)


def _missing(hold: Hold, count: int, lasted_us: int, due: int) -> Missing:
    return Missing(
        readings=max(hold.readings - count, 0),
        lasting_us=max(hold.lasting_us - lasted_us, 0),
        restarts_after=due,
    )


def term(
    kind: Kind,
    columns: Columns,
    definition: Definition,
    part: str,
    leaf: Leaf,
    trace: Trace,
    counted: NDArray[np.intp],
) -> Term:
    """Return one term on the last of the rows that counted, of which there is at least one."""
    row = int(counted[-1])
    results = np.nan_to_num(trace.result[counted], nan=-1.0)
    changes = np.flatnonzero(results[1:] != results[:-1])
    first = counted[changes[-1] + 1] if len(changes) else counted[0]
    truth = _truth(trace.result[row])
    limit = _plain(trace.values[RIGHT][row]) if RIGHT in trace.values else _written(leaf)
    return Term(
        part=part,
        text=leaf.text,
        value=_plain(trace.values[LEFT][row]) if LEFT in trace.values else None,
        limit=limit,
        truth=truth,
        since=int(columns.observed_at[first]),
        reasons=_reasons(kind, columns, row, definition, leaf) if truth is TruthValue.UNDECIDED else (),
    )


def _written(leaf: Leaf) -> float | str | None:
    """Return the plain value on the right of a term, None where nothing is compared."""
    if not leaf.fixed or leaf.right is None:
        return None
    try:
        return float(leaf.right)
    except ValueError:
        return leaf.right


def _reasons(
    kind: Kind, columns: Columns, row: int, definition: Definition, leaf: Leaf
) -> tuple[UndecidedReason, ...]:
    """Return what keeps a term from being decided on a reading."""
    found = [_unmeasured(kind, columns, row, n, definition) for n in sorted(_named(definition, leaf.text))]
    reasons = [reason for reason in found if reason is not None]
    if reasons:
        return tuple(reasons)
    if any(name in PAST for name in _named(definition, leaf.text)):
        return (UndecidedReason(why=UndecidedCause.NO_PAST),)
    return (
        UndecidedReason(
            why=UndecidedCause.NO_ATTRIBUTE if "attr(" in leaf.text else UndecidedCause.NOT_A_NUMBER
        ),
    )


def _named(definition: Definition, text: str) -> frozenset[str]:
    """Return the bare names an expression leads to, through `let` and functions too."""
    names = Leaf(text=text, left=text).names
    names = names.union(*(READS[name] for name in names if name in READS))
    inner = [_named(definition, definition.let[n]) for n in names if n in definition.let]
    return names.union(*inner)


def _unmeasured(
    kind: Kind, columns: Columns, row: int, name: str, definition: Definition
) -> UndecidedReason | None:
    measurement = next((m for m in kind.measurements if m.name == name), None)
    if measurement is None:
        return None
    value = columns.values[name][row]
    if value is None if measurement.type is ValueType.TEXT else np.isnan(value):
        return UndecidedReason(why=UndecidedCause.MISSING, name=name)
    marked = int(columns.quality[row]) >> measurement.bit & 1
    return (
        UndecidedReason(why=UndecidedCause.SUSPECT, name=name)
        if marked and not definition.use_suspect
        else None
    )


def gate_truth(gate: Trace | None, row: int | None) -> TruthValue:
    """Return whether the rule looks at the reading that counts."""
    if gate is None or row is None:
        return TruthValue.TRUE
    return _truth(gate.result[row])


def _truth(result: float) -> TruthValue:
    if np.isnan(result):
        return TruthValue.UNDECIDED
    return TruthValue.TRUE if result else TruthValue.FALSE


def _plain(value: Any) -> float | str | bool | None:
    if value is None or isinstance(value, str | bool):
        return value
    return round(float(value), 6) if np.isfinite(value) else None
