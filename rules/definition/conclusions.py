"""What a kind lets its rules conclude, taken over by the rules that name it as if it stood in their `let`.

Pure. Must not know rule files (rules.loading) or what expressions mean (rules.language).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from devices.kinds.kind import Conclusion, Kind
from rules.definition import summary
from rules.definition.definition import Definition
from rules.definition.errors import RuleError
from rules.definition.lets import names_in


def with_conclusions(definition: Definition, kind: Kind) -> Definition:
    """Return the rule with every conclusion of its kind that it leads to; its own `let` wins."""
    known = {c.name: c for c in kind.conclusions if c.name not in definition.let}
    taken: dict[str, Conclusion] = {}
    waiting = _named(definition)
    while waiting:
        name = waiting.pop()
        if name in known and name not in taken:
            taken[name] = known[name]
            waiting |= names_in(known[name].means)
    if not taken:
        return definition
    return replace(definition, let={**{name: one.means for name, one in taken.items()}, **definition.let})


def _named(definition: Definition) -> set[str]:
    gate = definition.when.condition if definition.when is not None else None
    texts = [*definition.let.values(), *definition.levels.values(), definition.clear, gate]
    found = set().union(*(names_in(text) for text in texts if text))
    for sentence in definition.summary.values():
        with suppress(RuleError):  # told with its place when the rule is compiled
            found |= set(summary.names_in(sentence))
    return found
