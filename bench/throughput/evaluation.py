"""What rules cost without I/O: every batch of the recorded stream through one step for each kind."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from devices.columns import Columns
from devices.compiled.part import Function
from devices.kinds import Kinds
from devices.registry.registry import Registry
from rules.definition.definition import Definition
from rules.engine.evaluate import EXACT
from rules.engine.ruleset import RuleSet, build_ruleset
from rules.language.program import Rule


@dataclass(slots=True, kw_only=True)
class RuleCost:
    """CPU seconds on one kind's rules, and how many readings met how many rules meanwhile."""

    seconds: float = 0.0
    rule_readings: int = 0


@dataclass(slots=True, kw_only=True)
class Evaluation:
    """The rules of every kind at work, and what they cost so far."""

    rulesets: dict[str, RuleSet]
    spent: dict[str, RuleCost] = field(default_factory=dict)

    def evaluate(self, columns: Columns) -> None:
        """Take new rows of one kind through its rules, as ingest does once they are stored."""
        name = columns.kind.name
        ruleset, spent = self.rulesets[name], self.spent.setdefault(name, RuleCost())
        if not ruleset.program.rules:
            return
        start = time.process_time()
        done = ruleset.step(columns)
        ruleset.state.adopt(done.changes)
        spent.seconds += time.process_time() - start
        spent.rule_readings += len(columns) * len(ruleset.program.rules)

    @property
    def seconds(self) -> float:
        """CPU seconds of all kinds."""
        return sum(spent.seconds for spent in self.spent.values())

    def per_s(self) -> dict[str, float]:
        """Return rule-readings per CPU second by kind: rows times rules; kinds without rules are left out."""
        return {
            n: spent.rule_readings / spent.seconds for n, spent in self.spent.items() if spent.rule_readings
        }


def begin(
    definitions: Sequence[Definition],
    kinds: Kinds,
    registry: Registry,
    functions: Mapping[str, Function] = EXACT,
) -> Evaluation:
    """Return the stream rules among the definitions, ready to evaluate the readings of a fleet.

    functions: compiled ones of the past.
    """
    rules = [Rule(version=1, definition=d) for d in definitions if d.levels]
    return Evaluation(
        rulesets={
            name: build_ruleset(
                kind, [r for r in rules if r.definition.kind in (name, None)], registry, functions=functions
            )
            for name, kind in kinds.items()
        }
    )
