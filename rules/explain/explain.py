"""Why a rule fires on a device, or does not: the evaluator run over the device's history, with traces.

Pure. The rule runs beside one probe for each of its terms, through the same step as live; what an explanation
says about terms is what the evaluator computed. Must not know the database (rules.explain.load).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from devices.columns import Columns
from devices.kinds.kind import Kind
from devices.registry.registry import Registry
from rules.context.context import RuleContext
from rules.definition.definition import Definition
from rules.engine import snapshot
from rules.engine.evaluate import step
from rules.engine.ruleset import NO_MAINTENANCE, build_ruleset
from rules.engine.snapshot import OpenAlert
from rules.explain import gate_terms, trace
from rules.explain.explanation import Explanation, Level, RuleStatus, Term, TruthValue
from rules.explain.terms import Leaf, leaves, probe
from rules.explain.trace import Trace
from rules.language.program import CompiledRule, Program, Rule
from rules.maintenance.spans import Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryStart:
    """What is known of a device when the history begins.

    alerts: of the rule, firing then. watermark: the newest observed_at until then, None if none.
    """

    alerts: tuple[OpenAlert, ...] = ()
    watermark: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus:
    """What the database says about the device at the instant that is explained."""

    device_id: int
    device: str
    at: int
    alert: int | None = None
    inhibited_by: int | None = None
    severity: Severity | None = None
    opened_at: int | None = None
    silent_since: int | None = None


def explain(
    kind: Kind,
    rule: Rule,
    registry: Registry,
    columns: Columns,
    past: HistoryStart,
    present: DeviceStatus,
    resting: Spans = NO_MAINTENANCE,
) -> Explanation:
    """Explain one stream rule on one device.

    Args:
        registry: holds at least the device and its municipality.
        columns: the device's readings in the order they arrived; empty if there are none.
        resting: maintenance windows; rules that rest do not look meanwhile.
    """
    parts = _parts(rule.definition)
    probes = [probe(leaf, rule.definition, f"term-{i}") for i, (_, leaf) in enumerate(parts)]
    rules = [rule, *(Rule(definition=p, version=0) for p in probes)]
    ruleset = build_ruleset(kind, rules, registry, resting)
    traced, traces = _traced(ruleset.program)
    state = ruleset.state
    state_row = state.rows_of(np.array([present.device_id], dtype=np.int32))
    state.rows.watermark[state_row] = past.watermark or 0
    snapshot.agree(state, past.alerts)
    before = state.rows.take(state_row).watermark[0]
    if len(columns):
        state.adopt(step(traced, state, columns, ruleset.attributes).changes)
    counted = _counted(columns, int(before))
    row = int(counted[-1]) if len(counted) else None
    levels = trace.levels(rule.definition, traced.rules[0], traces[0].levels, state.rows.take(state_row), row)
    looks = trace.gate_truth(traces[0].gate, row)
    if row is None:
        return _explanation(rule, columns, present, levels, (), looks, row)
    terms = tuple(
        trace.term(kind, columns, rule.definition, part, leaf, own.levels[0], counted)
        for (part, leaf), own in zip(parts, traces[1:], strict=True)
    )
    context = RuleContext(columns, counted, ruleset.attributes)
    if rule.definition.when is not None:
        terms += gate_terms.terms(rule.definition.when, context, context.observed_at)
    if gate_terms.rests(rule.definition.when, context.maintained()):
        terms, looks = (*terms, gate_terms.RESTING), TruthValue.FALSE
    planned = context.planned()
    if planned is not None and planned[-1]:
        terms, looks = (*terms, gate_terms.PLANNED), TruthValue.FALSE
    return _explanation(rule, columns, present, levels, terms, looks, row)


@dataclass(frozen=True, slots=True, kw_only=True)
class _RuleTraces:
    """The traces of one rule of a program."""

    levels: list[Trace]
    gate: Trace | None


def _traced(program: Program) -> tuple[Program, list[_RuleTraces]]:
    """Return the program with a trace around every condition, and the traces of each rule.

    The values that are compared are traced for probes, and for the lowest level of the rule itself.
    """
    traces: list[_RuleTraces] = []
    compiled: list[CompiledRule] = []
    for number, one in enumerate(program.rules):
        levels = [Trace(level, one.shown if number or not i else {}) for i, level in enumerate(one.levels)]
        gate = Trace(one.gate, {}) if one.gate is not None else None
        traces.append(_RuleTraces(levels=levels, gate=gate))
        compiled.append(replace(one, levels=tuple(levels), gate=gate))
    return replace(program, rules=tuple(compiled)), traces


def _parts(definition: Definition) -> list[tuple[str, Leaf]]:
    """Return every term with the part of the rule that it is in."""
    texts = [(f"levels.{s}", text) for s, text in sorted(definition.levels.items(), key=lambda e: e[0].rank)]
    if definition.clear:
        texts.append(("clear", definition.clear))
    if definition.when is not None and definition.when.condition:
        texts.append(("when", definition.when.condition))
    return [(part, leaf) for part, text in texts for leaf in leaves(text)]


def _counted(columns: Columns, before: int) -> NDArray[np.intp]:
    """Return the rows that were not late."""
    newest = np.maximum.accumulate(np.concatenate([[before], columns.observed_at]))
    return np.flatnonzero(columns.observed_at > newest[:-1])


def _explanation(
    rule: Rule,
    columns: Columns,
    present: DeviceStatus,
    levels: tuple[Level, ...],
    terms: tuple[Term, ...],
    gate: TruthValue,
    row: int | None,
) -> Explanation:
    reached = [level for level in levels if level.reached]
    rising = [level for level in levels if not level.reached and level.since is not None]
    # The database is right about what is firing: it also has alerts that began before the history does.
    fires = present.alert is not None
    holds = fires or bool(reached)
    status = RuleStatus.INACTIVE
    if holds:
        status = RuleStatus.UNKNOWN if fires and present.silent_since is not None else RuleStatus.FIRING
    elif rising:
        status = RuleStatus.PENDING
    ends = levels[0].missing if levels and levels[0].reached else None
    return Explanation(
        rule=rule.id,
        version=rule.version,
        device=present.device,
        at=present.at,
        status=status,
        severity=_severity(present, reached, rising),
        since=present.opened_at if fires else rising[0].since if rising and not reached else None,
        alert=present.alert,
        observed_at=None if row is None else int(columns.observed_at[row]),
        received_at=None if row is None else int(columns.received_at[row]),
        silent_since=present.silent_since,
        readings=len(columns),
        levels=levels,
        terms=terms,
        gate=gate,
        clear=rule.definition.clear or f"not ({levels[0].condition})",
        late_last=row is not None and row != len(columns) - 1,
        inhibited_by=present.inhibited_by,
        missing=rising[0].missing if rising else None,
        ends_missing=ends,
    )


def _severity(present: DeviceStatus, reached: list[Level], rising: list[Level]) -> Severity | None:
    if present.alert is not None:
        return present.severity
    if reached:
        return reached[-1].severity
    return rising[0].severity if rising else None
