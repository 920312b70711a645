"""The running rules of one kind: program, state, and what is known about its devices.

Must not talk to the database; rules.live.consumer reads and writes for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from alerts.transition import Transition
from devices.columns import Columns
from devices.compiled.part import Function
from devices.kinds.kind import Kind
from devices.registry.registry import Device, Registry
from devices.texts.languages import called_everywhere
from rules.context.attributes import Attributes
from rules.definition import summary
from rules.engine.evaluate import EXACT, RuleFailed, Step, step
from rules.engine.facts import attributes_of
from rules.engine.state import RuleState
from rules.language.program import Program, Rule, compile_program
from rules.maintenance.spans import Spans

NO_MAINTENANCE: Spans = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFailure:
    """A rule that raised, and the receive time of the first reading it missed (microseconds)."""

    rule: str
    version: int
    since: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SavedAt:
    """A batch, and the newest receive time until then (microseconds)."""

    batch: int
    received_at: int


@dataclass(slots=True, kw_only=True)
class RuleSet:
    """One kind's rules with their state and the attributes of its devices. Instants are microseconds.

    devices: those of other kinds too.
    skip: rules that failed since they were loaded. failures: of those, what is not recorded yet.
    catching_up: rules that must first evaluate readings they missed, with the receive time of the first.
    pieces: as of when parts of the state are saved (rules.live.checkpoints). checkpoint_at: when one was last
    saved, None when one must be with the next batch. renewed: whether some were saved under other rules, so
    that all must be with the next batch. seen: the newest receive time in the state.
    functions: compiled ones of the past.
    """

    program: Program
    state: RuleState
    attributes: Attributes
    devices: Mapping[int, Device]
    skip: set[str] = field(default_factory=set)
    failures: list[RuleFailure] = field(default_factory=list)
    catching_up: dict[str, int] = field(default_factory=dict)
    pieces: Mapping[int, SavedAt] = field(default_factory=dict)
    checkpoint_at: int | None = None
    renewed: bool = False
    seen: int = 0
    functions: Mapping[str, Function] = field(default_factory=dict)

    def step(self, columns: Columns) -> Step:
        """Evaluate new readings; nothing of it is state before it is adopted.

        Raises:
            RuleFailed: a condition raised.
        """
        return step(self.program, self.state, columns, self.attributes, self.skip, self.functions)

    def describe(self, transition: Transition) -> Mapping[str, str]:
        """Return a transition's sentence in every language."""
        definition = next(r.rule.definition for r in self.program.rules if r.rule.id == transition.rule)
        device = self.devices.get(transition.device_id)
        values = {**transition.evidence.get("values", {}), **transition.evidence.get("limits", {})}
        values["device"] = (
            called_everywhere(device.title or device.name, device.titles)
            if device
            else str(transition.device_id)
        )
        values["municipality"] = device.municipality if device else ""
        return summary.render(definition.summary, values)

    def replay(self, columns: Columns) -> None:
        """Move the state over readings whose transitions are recorded already."""
        self.seen = max(self.seen, int(columns.received_at.max()))
        while True:
            try:
                self.state.adopt(self.step(columns).changes)
            except RuleFailed as failed:
                self.fail(failed.rule, int(columns.received_at.min()), str(failed))
            else:
                return

    def fail(self, rule: str, since: int, reason: str) -> None:
        """Take a rule out until its next version."""
        version = next(r.rule.version for r in self.program.rules if r.rule.id == rule)
        self.skip.add(rule)
        self.failures.append(RuleFailure(rule=rule, version=version, since=since, reason=reason))

    def alone(self, rule: str) -> RuleSet:
        """Return a rule set of one rule with a blank state."""
        only = [r.rule for r in self.program.rules if r.rule.id == rule]
        program = compile_program(self.program.kind, only)
        return RuleSet(
            program=program,
            state=RuleState(program),
            attributes=self.attributes,
            devices=self.devices,
            functions=self.functions,
        )


def build_ruleset(
    kind: Kind,
    rules: Sequence[Rule],
    registry: Registry,
    maintenance: Spans = NO_MAINTENANCE,
    functions: Mapping[str, Function] = EXACT,
) -> RuleSet:
    """Return the rules of a kind with a blank state."""
    program = compile_program(kind, rules)
    attributes = attributes_of(kind.name, registry, program, maintenance)
    return RuleSet(
        program=program,
        state=RuleState(program, len(attributes)),
        attributes=attributes,
        devices=registry.devices,
        functions=functions,
    )
