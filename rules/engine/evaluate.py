"""One step of the rules of one kind: readings and state in, changes and transitions out.

Pure: event time only, no clock, no database. The same function serves live evaluation, replay after a
restart, and catching up. What it yields does not depend on how readings are cut into batches.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from alerts.transition import ConditionState as Condition
from alerts.transition import Transition
from devices.columns import Columns
from devices.compiled.part import Function
from devices.instants import to_datetime
from rules.context import past, truth
from rules.context.attributes import Attributes
from rules.context.context import RuleContext
from rules.context.grouping import Grouping, group, late_rows
from rules.context.memory.pace import PaceResult
from rules.context.patch import Patch
from rules.engine.histories import HistoryResults
from rules.engine.levels import LevelChange, LevelConditions, active_levels, run
from rules.engine.state import PacedDevices, RuleState, StateChanges
from rules.language.program import CompiledRule, Program

EXACT: Mapping[str, Function] = MappingProxyType({})
"""No compiled functions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a batch did: transitions in the order they happened, and changes to adopt after the commit.

    interval_us: how soon after each row the next is expected, in the order of the columns; microseconds.
    """

    changes: StateChanges
    transitions: tuple[Transition, ...]
    interval_us: NDArray[np.int64]


class RuleFailed(Exception):
    """A rule raised; `rule` is its id, the cause is chained."""

    def __init__(self, rule: str, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.rule = rule


def step(
    program: Program,
    state: RuleState,
    columns: Columns,
    attributes: Attributes,
    skip: Collection[str] = (),
    functions: Mapping[str, Function] = EXACT,
) -> Step:
    """Evaluate new readings of one kind, given in arrival order.

    Args:
        state: not altered, except that devices seen for the first time get a blank row.
        skip: ids of rules that are left exactly as they are.
        functions: compiled functions of the past; without, they are computed exactly, and slower.

    Raises:
        RuleFailed: a condition raised. Skip that rule and step again.
    """
    grouping = group(state.rows_of(columns.device_id))
    context = RuleContext(columns, grouping.order, attributes)
    filled = None if columns.filled is None else columns.filled.row[grouping.order]
    watermark = state.rows.watermark[grouping.state_rows]
    late = late_rows(grouping, context.observed_at, watermark, filled)
    rhythm = past.learn(
        grouping,
        context.observed_at,
        context.declared_us(),
        ~context.has_interval(),
        late if filled is None else late | filled,
        state.rows.pace(),
        functions,
    )
    context.pace = rhythm.pace
    # The past of a value begins with the part that brought it: no other part counts it again.
    news = context if filled is None else context.of(columns.news())
    histories = HistoryResults(program, news, grouping, late, state.rows, functions)
    context.past = news.past = histories.past
    before = None if filled is None else _Before(filled=filled, context=context.of(columns.before()))
    flips: list[LevelChange] = []
    patches: list[Patch] = list(rhythm.patches)
    active = active_levels(grouping, state.rows)
    with np.errstate(all="ignore"):
        for index, rule in enumerate(program.rules):
            if rule.rule.id in skip or not len(context):
                continue
            conditions = _conditions(rule, context, before, late, bool(active[rule.level_columns].any()))
            if conditions is None:
                continue
            found, changed = run(index, rule, conditions, context, grouping, state.rows)
            flips += found
            patches += changed
        _remember_shared(program, context, skip)
        if len(context):
            newest = np.maximum.reduceat(context.observed_at, grouping.first)
            patches.append(Patch("watermark", grouping.state_rows, None, np.maximum(watermark, newest)))
        transitions = _transitions(program, context, late, flips)
    interval_us, paced = _patience(context, grouping, rhythm)
    for one in (context, news) if before is None else (context, news, before.context):
        one.close()
    return Step(
        changes=StateChanges(patches=(*patches, *histories.patches), paced=paced),
        transitions=transitions,
        interval_us=interval_us,
    )


def _patience(
    context: RuleContext, grouping: Grouping, rhythm: PaceResult
) -> tuple[NDArray[np.int64], PacedDevices | None]:
    """Return how soon after each row the next is expected, in the order of the columns; whose pace is odd."""
    expected = context.declared_us()
    paced = None
    if rhythm.patience is not None:
        own = (context.usual_us() * rhythm.patience).astype(np.int64)
        expected = np.where(context.has_interval(), expected, own)
    if rhythm.patience is not None or rhythm.was_odd:
        last = grouping.last
        pace = np.ones(len(last)) if rhythm.patience is None else rhythm.patience[last]
        paced = PacedDevices(device_id=context.device_id[last], pace=pace)
    interval_us = np.empty(len(context), dtype=np.int64)
    interval_us[grouping.order] = expected
    return interval_us, paced


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """Rows as they were before parts filled some of them, (n,); the others are empty."""

    filled: NDArray[np.bool_]
    context: RuleContext

    def undecided(self, rule: CompiledRule, conditions: LevelConditions) -> LevelConditions:
        """Return conditions with what was the same before undecided: a reading counts once."""
        was = _in_order(rule, self.context, active=True)
        assert was is not None

        def anew(now: truth.Truth, then: truth.Truth) -> truth.Truth:
            return np.where(self.filled & (now == then), np.nan, now)

        return LevelConditions(
            rise=[anew(*pair) for pair in zip(conditions.rise, was.rise, strict=True)],
            fall=[anew(*pair) for pair in zip(conditions.fall, was.fall, strict=True)],
            late=conditions.late,
        )


def _conditions(
    rule: CompiledRule,
    context: RuleContext,
    before: _Before | None,
    late: NDArray[np.bool_],
    active: bool,
) -> LevelConditions | None:
    """Return what turns a rule's levels on and off on every row, None when none of them can change.

    What only ends an alert is not computed then: should it raise, that shows when there is one to end.

    Args:
        before: the rows before parts filled some; None where none is filled.
        active: whether a level of the rule is on, or in a run, on any device of the step.

    Raises:
        RuleFailed: the rule raised.
    """
    try:
        conditions = _in_order(rule, context, active)
        if before is not None and conditions is not None:
            conditions = before.undecided(rule, conditions)
        # Every function of the past must have seen every row, also one that only a summary uses.
        for history in range(rule.first_history, rule.first_history + len(rule.histories)):
            context.past(history)
    except Exception as error:
        # A fault of one rule must stop neither the batch nor the other rules.
        raise RuleFailed(rule.rule.id, error) from error
    if conditions is None or not late.any():
        return conditions
    # A late reading cannot end, continue or interrupt a run; at most it raises an alert by itself.
    raises = rule.rule.definition.late == "raise" and rule.immediate
    return LevelConditions(
        rise=[np.where(late & ~((rise == 1) & raises), np.nan, rise) for rise in conditions.rise],
        fall=[np.where(late, np.nan, fall) for fall in conditions.fall],
        late=late,
    )


def _remember_shared(program: Program, context: RuleContext, skip: Collection[str]) -> None:
    """Let what rules share have seen every row, whether one asked for it or not.

    Raises:
        RuleFailed: it raised; the first rule that uses it and is not skipped answers for it.
    """
    users = [rule.rule.id for rule in program.rules if rule.uses_conclusions and rule.rule.id not in skip]
    if not users or not len(context):
        return
    try:
        for history in range(len(program.shared)):
            context.past(history)
    except Exception as error:
        raise RuleFailed(users[0], error) from error


def _in_order(rule: CompiledRule, context: RuleContext, active: bool) -> LevelConditions | None:
    """Return the same as if no reading were late."""
    closed = _closed(rule, context)
    rise: list[truth.Truth] = []
    for level in reversed(rule.levels):
        own = level(context)
        rise.append(truth.either(own, rise[-1]) if rise else own)
    rise.reverse()
    if closed is not None:
        rise = [np.where(closed, np.nan, one) for one in rise]
    # Where a higher level holds, so does the lowest.
    if not active and not (rise[0] == 1).any():
        return None
    fall = [truth.negated(reached) for reached in rise]
    if rule.clear is not None:
        fall[0] = rule.clear(context)
    if closed is not None:
        fall = [np.where(closed, np.nan, one) for one in fall]
    return LevelConditions(rise=rise, fall=fall, late=None)


def _closed(rule: CompiledRule, context: RuleContext) -> NDArray[np.bool_] | None:
    """Tell on which rows the rule does not look, None when it looks at all of them."""
    closed: NDArray[np.bool_] | None = None if rule.gate is None else rule.gate(context) != 1
    for resting in (context.maintained() if rule.rests else None, context.planned()):
        if resting is not None:
            closed = resting if closed is None else closed | resting
    return closed


def _transitions(
    program: Program, context: RuleContext, late: NDArray[np.bool_], flips: list[LevelChange]
) -> tuple[Transition, ...]:
    """Describe the level changes in the order their readings arrived."""
    by_arrival = sorted(flips, key=lambda f: (context.order[f.row], f.rule))
    return tuple(_transition(program.rules[f.rule], context, bool(late[f.row]), f) for f in by_arrival)


def _transition(rule: CompiledRule, context: RuleContext, late: bool, flip: LevelChange) -> Transition:
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


def _before(flip: LevelChange, observed_at: int) -> Condition:
    if flip.before >= 0:
        return Condition.FIRING
    return Condition.PENDING if flip.since < observed_at else Condition.INACTIVE


def _evidence(rule: CompiledRule, context: RuleContext, row: int) -> dict[str, dict[str, object]]:
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
