"""What rules cannot decide where something is never measured: expressions over what each part may come to.

A measurement that a device never sends is undecided for ever; the others may have any value. A condition is
blind without it when it then can never hold. Pure. Must not know readings or the database.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import product

from devices.kinds.kind import Kind
from rules.definition.conclusions import with_conclusions
from rules.definition.definition import Definition
from rules.definition.lets import names_in
from rules.language.functions import READS

TRUE, FALSE, VALUE, UNKNOWN = "true", "false", "value", "unknown"
"""What a part may come to: a condition true or false, a number or text known, or nothing."""

May = frozenset[str]
_ANY: May = frozenset({TRUE, FALSE})
_KNOWN: May = frozenset({VALUE})
_NEVER: May = frozenset({UNKNOWN})
_ALWAYS_TOLD = (
    "sun",
    "lag",
    "clock_corrected",
    "clock_unset",
    "suspect",
    "empty",
    "words_unknown",
    "interleaved",
)
_OF_PAST = ("delta", "rate", "total", "baseline", "trend", "last")


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindCondition:
    """A part of a rule ("levels.major", "clear", "when") that is never decided without a measurement."""

    part: str
    condition: str
    measurement: str


def blind_conditions(definition: Definition, kind: Kind) -> list[BlindCondition]:
    """Return each condition of a stream rule that one measurement of several can leave undecided for ever."""
    whole = with_conclusions(definition, kind)
    every = looked_at(definition, kind)
    found: list[BlindCondition] = []
    for part, text in _parts(whole):
        used = measured(whole, kind, [text])
        # A level that looks at one measurement alone is about it.
        lone = len(used) == 1 and (part.startswith("levels.") or every == used)
        found += [
            BlindCondition(part=part, condition=text, measurement=name)
            for name in sorted(used)
            if not lone and TRUE not in _Reckoning(whole, kind, frozenset({name})).of_text(text)
        ]
    return found


def is_blind(definition: Definition, kind: Kind, missing: Collection[str]) -> bool:
    """Tell whether no level of a rule can ever hold on a device that sends none of some measurements."""
    whole = with_conclusions(definition, kind)
    reckoning = _Reckoning(whole, kind, frozenset(missing))
    gate = whole.when.condition if whole.when is not None else None
    if gate is not None and TRUE not in reckoning.of_text(gate):
        return True
    return all(TRUE not in reckoning.of_text(text) for text in whole.levels.values())


def measured(definition: Definition, kind: Kind, texts: Iterable[str]) -> set[str]:
    """Return the measurements that expressions of a rule look at, through whatever names."""
    known = {m.name for m in kind.measurements}
    found: set[str] = set()
    waiting = set().union(*(names_in(text) for text in texts))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        if name in definition.let:
            waiting |= names_in(definition.let[name]) - seen
        elif name in READS:
            found |= READS[name]
        elif name in known:
            found.add(name)
    return found


def looked_at(definition: Definition, kind: Kind) -> set[str]:
    """Return the measurements that a rule's levels and gate look at."""
    whole = with_conclusions(definition, kind)
    gate = whole.when.condition if whole.when is not None else None
    return measured(whole, kind, [*whole.levels.values(), *([gate] if gate else [])])


def _parts(definition: Definition) -> list[tuple[str, str]]:
    parts = [(f"levels.{severity}", text) for severity, text in definition.levels.items()]
    if definition.clear:
        parts.append(("clear", definition.clear))
    if definition.when is not None and definition.when.condition:
        parts.append(("when", definition.when.condition))
    return parts


class _Reckoning:
    """What expressions of one rule may come to where some measurements are never there."""

    def __init__(self, definition: Definition, kind: Kind, missing: frozenset[str]) -> None:
        self._let: Mapping[str, str] = definition.let
        self._missing = missing
        self._booleans = {m.name for m in kind.measurements if m.type.value == "boolean"}
        self._kept: dict[str, May] = {}

    def of_text(self, text: str) -> May:
        return self._of(ast.parse(text.strip(), mode="eval").body)

    def _of(self, node: ast.expr) -> May:
        match node:
            case ast.Constant(value=bool()):
                return frozenset({TRUE if node.value else FALSE})
            case ast.Constant():
                return _KNOWN
            case ast.Name():
                return self._name(node.id)
            case ast.BoolOp():
                return _joined([self._of(v) for v in node.values], isinstance(node.op, ast.And))
            case ast.UnaryOp(op=ast.Not()):
                return frozenset({TRUE: FALSE, FALSE: TRUE}.get(one, one) for one in self._of(node.operand))
            case ast.Compare():
                return _where_known([self._of(e) for e in (node.left, *node.comparators)], _ANY)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node.args)
        return _where_known(
            [self._of(n) for n in ast.iter_child_nodes(node) if isinstance(n, ast.expr)], _KNOWN
        )

    def _name(self, name: str) -> May:
        if name in ("true", "false"):
            return frozenset({name})
        if name in self._let:
            if name not in self._kept:
                self._kept[name] = self.of_text(self._let[name])
            return self._kept[name]
        if name in self._missing:
            return _NEVER
        return _ANY if name in self._booleans else _KNOWN

    def _call(self, name: str, given: list[ast.expr]) -> May:
        if name == "attr":
            return _KNOWN
        if name in _ALWAYS_TOLD:
            return _ANY if name not in ("sun", "lag") else _KNOWN
        if name == "known":
            value, otherwise = self._of(given[0]), self._of(given[1])
            return (value - {UNKNOWN}) | otherwise if UNKNOWN in value else value
        if name == "only":
            return self._of(given[0]) | {UNKNOWN} if TRUE in self._of(given[1]) else _NEVER
        if name == "frozen":
            return _ANY | {UNKNOWN}
        if READS.get(name, frozenset()) & self._missing:
            return _NEVER
        if name in ("n_of", "count"):
            told = self._of(given[0])
            could = _KNOWN if name == "count" else (told & {TRUE}) | {FALSE}
            return could | {UNKNOWN} if told - {UNKNOWN} else _NEVER
        arguments = [self._of(a) for a in given] or [_KNOWN]
        result = _ANY if name in ("flat", "outside", "word_unknown") else _KNOWN
        found = _where_known(arguments, result)
        return found | {UNKNOWN} if name in _OF_PAST and found != _NEVER else found


def _where_known(parts: list[May], result: May) -> May:
    """Return what comes of parts that must all be known."""
    if any(part == _NEVER for part in parts):
        return _NEVER
    return result | {UNKNOWN} if any(UNKNOWN in part for part in parts) else result


def _joined(parts: list[May], is_and: bool) -> May:
    """Return what `and` or `or` may come to: one part is enough where it decides."""
    decides = FALSE if is_and else TRUE
    found = set()
    for each in product(*parts):
        if decides in each:
            found.add(decides)
        elif UNKNOWN in each:
            found.add(UNKNOWN)
        else:
            found.add(TRUE if is_and else FALSE)
    return frozenset(found)
