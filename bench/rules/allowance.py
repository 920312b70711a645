"""How late an alert may rightly be: what its rule waits for by its own definition. Pure.

`hold_us` is the rule's `for`, `look_back_us` its analogue inside a condition: flat(x, "72h", 5) cannot be
true before there were 72 hours. Both are read from the rule; no table says what a rule is allowed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bench.rules.matching import GRACE_INTERVALS, Fault
from rules.definition.definition import Definition
from rules.definition.durations import duration_us
from rules.definition.families import Behind, ChildrenApart, ChildrenDown, Forecast, Neighbours, NotRefreshed

_WHOLE_WINDOW = ("flat", "frozen", "trend", "count")
"""What is not known before its window is over. baseline() and total() remember more, but wait for nothing."""
_ONE_BEFORE = ("delta", "rate")


def allowed_us(rule: Definition, fault: Fault) -> int:
    """Return how long after its start a fault may be told: `for`, look-back, and one and a half intervals."""
    grace = round(GRACE_INTERVALS * fault.reports_s * 1e6)
    return hold_us(rule, fault.reports_s) + look_back_us(rule, fault.reports_s) + grace


def hold_us(rule: Definition, interval_s: float) -> int:
    """Return a rule's `for` in microseconds, given a reporting interval in seconds."""
    if rule.silent is not None:
        return max(round(rule.silent.intervals * interval_s * 1e6), rule.silent.at_least_us)
    match rule.sweep:
        case ChildrenDown() as family:
            return family.within_us
        case NotRefreshed() as family:
            return max(round(family.missing * interval_s * 1e6), family.at_least_us)
        case Neighbours() | ChildrenApart() | Behind() as family:
            return family.lasting_us
        case Forecast():
            return 0
    return rule.hold.lasting_us + round((rule.hold.readings - 1) * interval_s * 1e6)


def look_back_us(rule: Definition, interval_s: float) -> int:
    """Return how much past the quickest of a rule's conditions must have seen before it can be true.

    Where all of several terms must hold the longest counts, where one is enough the shortest; what must not
    hold is waited for by nobody. A window of readings is so many intervals.
    """
    needs = _Past(let=rule.let, interval_us=round(interval_s * 1e6))
    return min((needs.of_text(text) for text in rule.levels.values()), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """How long the parts of an expression wait. denied: they stand under an odd number of `not`."""

    let: Mapping[str, str]
    interval_us: int
    denied: bool = False

    def of_text(self, text: str) -> int:
        return self.of(ast.parse(text.strip(), mode="eval").body)

    def of(self, node: ast.AST) -> int:
        match node:
            case ast.BoolOp():
                any_will_do = isinstance(node.op, ast.Or) is not self.denied
                parts = [self.of(value) for value in node.values]
                return min(parts) if any_will_do else max(parts)
            case ast.UnaryOp(op=ast.Not()):
                return replace(self, denied=not self.denied).of(node.operand)
            case ast.Name() if node.id in self.let:
                return self.of_text(self.let[node.id])
            case ast.Call(func=ast.Name(id="attr" | "last")):
                return 0
            case ast.Call(func=ast.Name(id=name)):
                return self._own(name, node.args) + self._longest(node.args)
        return self._longest(ast.iter_child_nodes(node))

    def _longest(self, nodes: Iterable[ast.AST]) -> int:
        return max((self.of(node) for node in nodes), default=0)

    def _own(self, name: str, given: list[ast.expr]) -> int:
        """Return what a function itself waits for. flat() and n_of() can be false at once."""
        if self.denied and name in ("flat", "frozen", "n_of", *_ONE_BEFORE):
            return 0
        if name in _ONE_BEFORE:
            return self.interval_us
        if name == "n_of":
            least = (int(_plain(given[1])) - 1) * self.interval_us
            return min(least, self._window(given[2]))
        place = 0 if name == "frozen" else 1
        return self._window(given[place]) if name in _WHOLE_WINDOW else 0

    def _window(self, node: ast.expr) -> int:
        said = str(_plain(node))
        readings = said.removesuffix("readings").removesuffix("reading").strip()
        return int(readings) * self.interval_us if readings.isdecimal() else duration_us(said)


def _plain(node: ast.expr) -> str | int:
    assert isinstance(node, ast.Constant)
    assert isinstance(node.value, str | int)
    return node.value
