"""The stream rules of one kind, compiled: conditions as functions over columns.

A rule has levels, lowest severity first. Each is off or on, and turns once its condition has held in a run of
readings. Pure. Must not know state or readings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from devices.kinds.kind import Kind
from rules.context import gate, truth
from rules.context.context import RuleContext
from rules.definition import summary
from rules.definition.definition import Definition, Gate
from rules.definition.errors import RuleError
from rules.definition.lets import in_order
from rules.language.conclusions import CompiledConclusion, compile_conclusions
from rules.language.expression import compile_condition, compile_expression
from rules.language.scope import Compute, Expression, ExpressionType, HistoryFunction, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A definition as the platform runs it: with its version."""

    definition: Definition
    version: int

    @property
    def id(self) -> str:
        """The rule's name, the same over its versions."""
        return self.definition.id


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """One rule ready to run; its levels are the columns of a state from `first_level` on."""

    rule: Rule
    severities: tuple[Severity, ...]
    conditions: tuple[str, ...]
    levels: tuple[Compute, ...]
    clear: Compute | None
    gate: Compute | None
    shown: dict[str, Expression]
    limits: frozenset[str]
    first_level: int
    first_history: int
    histories: tuple[HistoryFunction, ...]
    uses_conclusions: bool

    @property
    def level_columns(self) -> slice:
        """Which columns of a state hold this rule's levels."""
        return slice(self.first_level, self.first_level + len(self.severities))

    @property
    def rests(self) -> bool:
        """Tell whether the rule does not look during maintenance."""
        return gate.rests_in_maintenance(self.rule.definition.when)

    @property
    def immediate(self) -> bool:
        """Tell whether a single reading is enough to fire."""
        hold = self.rule.definition.hold
        return hold.readings <= 1 and hold.lasting_us == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All rules of one kind; values, instants: which columns of a state each history has.

    histories: first those of the kind's conclusions, which rules share, then each rule's own.
    """

    kind: Kind
    rules: tuple[CompiledRule, ...]
    shared: tuple[HistoryFunction, ...]
    histories: tuple[HistoryFunction, ...]
    values: tuple[slice, ...]
    instants: tuple[slice, ...]
    numbers: frozenset[str]
    texts: frozenset[str]
    polygons: frozenset[str]

    @property
    def level_count(self) -> int:
        """Number of levels of all rules together."""
        return sum(len(rule.severities) for rule in self.rules)

    def columns_of(self, rule: CompiledRule) -> tuple[slice, slice]:
        """Return which numbers and instants of a state the histories of a rule have; it has at least one."""
        first, last = rule.first_history, rule.first_history + len(rule.histories) - 1
        return (
            slice(self.values[first].start, self.values[last].stop),
            slice(self.instants[first].start, self.instants[last].stop),
        )

    @property
    def value_count(self) -> int:
        """How many numbers all histories remember of a device."""
        return sum(h.values for h in self.histories)

    @property
    def instant_count(self) -> int:
        """How many instants all histories remember of a device."""
        return sum(h.instants for h in self.histories)


def compile_rule(kind: Kind, rule: Rule) -> CompiledRule:
    """Compile one rule alone.

    Raises:
        RuleError: a condition or sentence is wrong; `file` names the part ("levels.warning").
    """
    return _compile(kind, rule, 0, 0, {})[0]


def compile_program(kind: Kind, rules: Sequence[Rule]) -> Program:
    """Compile the stream rules of a kind; each must have compiled alone.

    Raises:
        RuleError: see compile_rule.
    """
    compiled: list[CompiledRule] = []
    concluding = Scope(kind=kind, rule="")
    conclusions = compile_conclusions(kind, concluding) if _use_conclusions(kind, rules) else {}
    scopes = [concluding]
    levels, histories = 0, len(concluding.histories)
    for rule in rules:
        one, scope = _compile(kind, rule, levels, histories, conclusions)
        compiled.append(one)
        scopes.append(scope)
        levels += len(one.severities)
        histories += len(one.histories)
    shared = tuple(concluding.histories)
    remembered = (*shared, *(h for c in compiled for h in c.histories))
    return Program(
        kind=kind,
        rules=tuple(compiled),
        shared=shared,
        histories=remembered,
        values=_columns(h.values for h in remembered),
        instants=_columns(h.instants for h in remembered),
        numbers=frozenset(r.above for r in kind.reporting if r.above).union(*(s.numbers for s in scopes)),
        texts=frozenset().union(*(s.texts for s in scopes)),
        polygons=frozenset().union(*(s.polygons for s in scopes)),
    )


def _columns(widths: Iterable[int]) -> tuple[slice, ...]:
    """Return which columns belong to each history."""
    stops = list(accumulate(widths, initial=0))
    return tuple(slice(start, stop) for start, stop in pairwise(stops))


def _use_conclusions(kind: Kind, rules: Sequence[Rule]) -> bool:
    names = {c.name for c in kind.conclusions}
    return any(names & rule.definition.let.keys() for rule in rules)


def _compile(
    kind: Kind,
    rule: Rule,
    first_level: int,
    first_history: int,
    conclusions: Mapping[str, CompiledConclusion],
) -> tuple[CompiledRule, Scope]:
    definition = rule.definition
    known = {} if definition.use_suspect else conclusions
    shares = False
    scope = Scope(
        kind=kind,
        rule=definition.id,
        use_suspect=definition.use_suspect,
        gap=definition.max_gap,
        first_history=first_history,
    )
    for name, text in in_order(definition.let):
        conclusion = known.get(name)
        if conclusion is not None and conclusion.means == text:
            scope.lets[name] = conclusion.expression
            scope.shown |= conclusion.shown
            scope.limits |= conclusion.limits
            shares = True
            continue
        scope.lets[name] = _kept(_part(f"let.{name}", compile_expression, text, scope), definition.id, name)
    severities = tuple(sorted(definition.levels, key=lambda s: s.rank))
    conditions = tuple(definition.levels[s] for s in severities)
    levels = [
        _part(f"levels.{s}", compile_condition, text, scope).compute
        for s, text in zip(severities, conditions, strict=True)
    ]
    clear = _part("clear", compile_condition, definition.clear, scope) if definition.clear else None
    looks = _gate(definition.when, scope) if definition.when else None
    _show_in_sentences(definition, scope)
    compiled = CompiledRule(
        rule=rule,
        severities=severities,
        conditions=conditions,
        levels=tuple(levels),
        clear=clear.compute if clear else None,
        gate=looks,
        shown={name: _as_evidence(typed) for name, typed in scope.shown.items()},
        limits=frozenset(scope.limits),
        first_level=first_level,
        first_history=first_history,
        histories=tuple(scope.histories),
        uses_conclusions=shares,
    )
    return compiled, scope


def _as_evidence(typed: Expression) -> Expression:
    """Return what evidence is to show: of a condition True, False, or None where it is undecided."""
    if typed.type is not ExpressionType.CONDITION:
        return typed

    def compute(context: RuleContext) -> NDArray[np.object_]:
        result = typed.compute(context)
        shown = np.full(len(result), None, dtype=np.object_)
        shown[result == 1], shown[result == 0] = True, False
        return shown

    return Expression(typed.type, compute, typed.constant)


def _kept(typed: Expression, rule: str, name: str) -> Expression:
    """Return what computes a `let` once per step, however often it is named."""
    key = ("let", rule, name)
    return replace(typed, compute=lambda c: c.keep(key, lambda: typed.compute(c)))


def _part(part: str, compile_text: object, text: str, scope: Scope) -> Expression:
    try:
        typed: Expression = compile_text(text, scope)  # type: ignore[operator]
    except RuleError as error:
        error.file = part
        raise
    return typed


def _show_in_sentences(definition: Definition, scope: Scope) -> None:
    """Make sure that evidence holds every value the sentences name."""
    known = {**dict.fromkeys(scope.names()), **scope.shown}
    for part, sentences in (("summary", definition.summary), ("runbook", definition.runbook)):
        for language, template in sentences.items():
            try:
                names = summary.check(template, known) if part == "summary" else []
            except RuleError as error:
                error.file = f"{part}.{language}"
                raise
            for name in names:
                if name not in scope.shown:
                    compile_expression(name, scope)


def _gate(when: Gate, scope: Scope) -> Compute:
    """Return a condition that holds while the rule looks at readings."""
    condition: Compute | None = None
    if when.condition is not None:
        condition = _part("when.condition", compile_condition, when.condition, scope).compute

    def compute(context: RuleContext) -> truth.Truth:
        looks = gate.judge_gate(when, context)
        return looks if condition is None else truth.both(looks, condition(context))

    return compute
