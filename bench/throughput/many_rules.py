"""Any number of rules for each kind, of the sorts the default packs have, none of which often fires."""

from __future__ import annotations

from collections.abc import Iterable

from devices.kinds import Kinds
from devices.kinds.kind import Kind, ValueType
from rules.definition.definition import Definition
from rules.loading.files import parse

_RULE = """\
- id: bench-{kind}-{number}
  kind: {kind}
  summary: {{en: "{{device}}", fr: "{{device}}", ar: "{{device}}"}}
  levels: {{warning: "{condition}"}}
  for: {hold}
  route: bench
"""
_CONDITIONS = (
    "{name} > {high}",
    "{name} > attr(bench_limit, {high})",
    "{name} > {high} and {name} < {higher}",
    "delta({name}) > {high}",
)
_HOLDS = ("0", "3 readings", "10m")


def make(number: int, kinds: Kinds) -> list[Definition]:
    """Return `number` rules for each kind; limits beyond what can be measured are meant here."""
    text = "".join(_rules(number, kinds.values()))
    return parse(text, kinds, stored=True)


def _rules(number: int, kinds: Iterable[Kind]) -> Iterable[str]:
    for kind in kinds:
        names = [m.name for m in kind.measurements if m.type is ValueType.NUMBER]
        for i in range(number):
            high = 100_000 + i
            condition = _CONDITIONS[i % len(_CONDITIONS)].format(
                name=names[i % len(names)], high=high, higher=2 * high
            )
            hold = _HOLDS[i % len(_HOLDS)]
            yield _RULE.format(kind=kind.name, number=i, condition=condition, hold=hold)
