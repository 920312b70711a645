"""One step of the rules of one kind: readings and state in, changes and transitions out.

Pure: event time only, no clock, no database. The same function serves live evaluation, replay after a
restart, and catching up. What it yields does not depend on how readings are cut into batches.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.instants import to_datetime
from rules import truth
from rules.attributes import Attributes
from rules.context import Context
from rules.grouping import group, late_rows
from rules.histories import Histories
from rules.latches import Flip, run
from rules.program import Compiled, Program
from rules.state import Changes, State
from rules.transition import State as Condition
from rules.transition import Transition

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a batch did: transitions in the order they happened, and changes that wait to be adopted."""

    changes: Changes
    transitions: tuple[Transition, ...]


class RuleFailed(Exception):
    """A rule raised; `rule` is its id, the cause is chained."""

    def __init__(self, rule: str, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.rule = rule


def step(
    program: Program,
    state: State,
    columns: Columns,
    attributes: Attributes,
    skip: Collection[str] = (),
) -> Step:
    """Evaluate new readings of one kind, given in arrival order.

    Args:
        state: not altered, except that devices seen for the first time get a blank row.
        skip: ids of rules that are left exactly as they are.

    Raises:
        RuleFailed: a condition raised. Skip that rule and step again.
    """
    grouping = group(state.slots_of(columns.device_id))
    rows = state.rows.take(grouping.slots)
    context = Context(columns, grouping.order, attributes)
    late = late_rows(grouping, context.observed_at, rows.watermark)
    histories = Histories(context, grouping, late, program.histories, rows)
    context.previous = histories.previous
    with np.errstate(all="ignore"):
        rise, fall = _conditions(program, context, late, skip)
        flips = run(program, grouping, context, late, rise, fall, rows)
        if len(context):
            newest = np.maximum.reduceat(context.observed_at, grouping.first)
            rows.watermark = np.maximum(rows.watermark, newest)
        transitions = _transitions(program, context, late, flips)
    return Step(changes=Changes(slots=grouping.slots, rows=rows), transitions=transitions)


def _conditions(
    program: Program, context: Context, late: NDArray[np.bool_], skip: Collection[str]
) -> tuple[Codes, Codes]:
    """Return what latches wait for, off and on, (n, latches): 1 true, 0 false, -1 undecided."""
    rise = np.full((len(context), program.latch_count), -1, dtype=np.int8)
    fall = rise.copy()
    for rule in program.rules:
        if rule.rule.id in skip:
            continue
        try:
            _one_rule(rule, context, late, rise[:, rule.latches], fall[:, rule.latches])
        except Exception as error:
            # Whatever one rule does wrong must cost neither the batch nor the other rules.
            raise RuleFailed(rule.rule.id, error) from error
    return rise, fall


def _one_rule(rule: Compiled, context: Context, late: NDArray[np.bool_], rise: Codes, fall: Codes) -> None:
    reached: truth.Truth | None = None
    for level in reversed(range(len(rule.levels))):
        own = rule.levels[level](context)
        reached = own if reached is None else truth.either(own, reached)
        rise[:, level] = truth.codes(reached)
        fall[:, level] = truth.codes(truth.negated(reached))
    if rule.clear is not None:
        fall[:, 0] = truth.codes(rule.clear(context))
    if rule.gate is not None:
        closed = rule.gate(context) != 1
        rise[closed] = -1
        fall[closed] = -1
    if late.any():
        # Out of its order a reading cannot end, continue or interrupt anything; at most it is news by itself.
        raises = rule.rule.definition.late == "raise" and rule.immediate
        rise[late] = np.where(rise[late] == 1, 1, -1) if raises else -1
        fall[late] = -1


def _transitions(
    program: Program, context: Context, late: NDArray[np.bool_], flips: list[Flip]
) -> tuple[Transition, ...]:
    """Describe the flips in the order their readings arrived."""
    by_arrival = sorted(flips, key=lambda f: (context.order[f.row], f.rule))
    return tuple(_transition(program.rules[f.rule], context, bool(late[f.row]), f) for f in by_arrival)


def _transition(rule: Compiled, context: Context, late: bool, flip: Flip) -> Transition:
    row, observed_at = flip.row, int(context.observed_at[flip.row])
    resolved = flip.after < 0
    level = flip.before if resolved else flip.after
    return Transition(
        rule=rule.rule.id,
        version=rule.rule.version,
        device_id=int(context.device_id[row]),
        from_state=_before(flip, observed_at),
        to_state=Condition.RESOLVED if resolved else Condition.FIRING,
        severity=rule.severities[level],
        observed_at=observed_at,
        received_at=int(context.received_at[row]),
        evidence={
            "condition": (rule.rule.definition.clear if resolved else None)
            or (f"not ({rule.conditions[0]})" if resolved else rule.conditions[level]),
            "since": to_datetime(flip.since).isoformat(),
            "late": late,
            **_evidence(rule, context, row),
        },
    )


def _before(flip: Flip, observed_at: int) -> Condition:
    if flip.before >= 0:
        return Condition.FIRING
    return Condition.PENDING if flip.since < observed_at else Condition.INACTIVE


def _evidence(rule: Compiled, context: Context, row: int) -> dict[str, dict[str, object]]:
    """Return what was measured and which attributes of the device limited it."""
    values: dict[str, object] = {}
    limits: dict[str, object] = {}
    for name, typed in rule.shown.items():
        # Kept: many devices may change in one step.
        column = context.keep(("shown", rule.rule.id, name), lambda typed=typed: typed.compute(context))  # type: ignore[misc]
        (limits if name in rule.limits else values)[name] = _plain(column[row])
    return {"values": values, "limits": limits}


def _plain(value: object) -> object:
    if isinstance(value, float | np.floating):
        return round(float(value), 6) if np.isfinite(value) else None
    return value
