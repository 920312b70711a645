"""Rules that compile and cannot be meant: conditions that never or always hold, levels in the wrong order.

What is compared is tried on values within the limits of the kind; a condition with anything but measurements,
attributes and numbers in it (the past, the sun) is not judged. Pure: must not know files or the database.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product
from typing import Any

from devices.kinds.kind import Kind, Measurement, ValueType
from rules.definition.definition import Definition
from rules.definition.errors import RuleError

POINTS = (0, 60, 12)
"""How many values of each measurement are tried between its limits, beside those that the rule itself names,

by how many measurements it compares; rules that compare more are not tried.
"""

Values = dict[str, Any]
"""One reading: measurements by name, and the values of `let` once they are known."""


class _NotJudgedError(Exception):
    """A part of an expression whose value does not follow from one reading."""


def mistakes(definition: Definition, kind: Kind) -> Iterator[tuple[str, RuleError]]:
    """Yield what cannot be meant in a rule that compiles for `kind`, each with its part ("clear")."""
    yield from _sentences(definition)
    gate = definition.when
    if gate is not None and gate.local_from_min is not None and gate.local_from_min == gate.local_to_min:
        yield "when.local_time", RuleError("no minute lies in it; for the whole day leave local_time out")
    if not definition.use_suspect:  # else values beyond the limits are judged too
        for part, text in _conditions(definition).items():
            yield from ((part, error) for error in _unreachable(text, kind))
    yield from _overlaps(definition, kind)


def _sentences(definition: Definition) -> Iterator[tuple[str, RuleError]]:
    for part, sentences in (("summary", definition.summary), ("runbook", definition.runbook)):
        for language, template in sentences.items():
            if "{{" in template or "}}" in template:
                said = "a value is written in single braces, such as {fill_pct:.0f}"
                yield f"{part}.{language}", RuleError(said)


def _conditions(definition: Definition) -> dict[str, str]:
    parts = {f"let.{name}": text for name, text in definition.let.items()}
    parts |= {f"levels.{severity}": text for severity, text in definition.levels.items()}
    if definition.clear is not None:
        parts["clear"] = definition.clear
    if definition.when is not None and definition.when.condition is not None:
        parts["when.condition"] = definition.when.condition
    return parts


def _unreachable(text: str, kind: Kind) -> Iterator[RuleError]:
    """Yield comparisons of one measurement that no value within its limits, or every one, fulfils."""
    numbers = {m.name: m for m in kind.measurements if m.type is ValueType.NUMBER}
    reader = _Reader(kind, {})
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if not isinstance(node, ast.Compare):
            continue
        for (left, right), compare in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
            symbol = _SYMBOLS.get(type(compare))
            for name, limit, shown in ((left, right, symbol), (right, left, _MIRRORED.get(symbol or ""))):
                if shown is None or not isinstance(name, ast.Name) or name.id not in numbers:
                    continue
                try:
                    value = float(reader.value(limit, {}))
                except _NotJudgedError:
                    continue
                holds = _extent(numbers[name.id], shown, value)
                if holds is not None:
                    yield RuleError(
                        f"{name.id} is {_range(numbers[name.id])}: {shown} {value:g} {holds} holds",
                        column=node.col_offset + 1,
                    )


def _extent(measurement: Measurement, symbol: str, limit: float) -> str | None:
    """Tell whether a comparison "never" or "always" holds between the limits; None for neither."""
    low = float("-inf") if measurement.low is None else measurement.low
    high = float("inf") if measurement.high is None else measurement.high
    never = {
        "<": limit <= low,
        "<=": limit < low,
        ">": limit >= high,
        ">=": limit > high,
        "==": not low <= limit <= high,
    }
    always = {
        "<": limit > high,
        "<=": limit > high,  # at the limit itself it is a way to say "whatever it is"
        ">": limit < low,
        ">=": limit < low,
        "!=": not low <= limit <= high,
    }
    if never.get(symbol, False):
        return "never"
    return "always" if always.get(symbol, False) else None


def _range(measurement: Measurement) -> str:
    unit = f" {measurement.unit}" if measurement.unit else ""
    if measurement.low is None:
        return f"at most {measurement.high:g}{unit}"
    if measurement.high is None:
        return f"at least {measurement.low:g}{unit}"
    return f"{measurement.low:g} to {measurement.high:g}{unit}"


def _overlaps(definition: Definition, kind: Kind) -> Iterator[tuple[str, RuleError]]:
    """Yield a `clear` that holds together with a level, and a level that a higher one always covers."""
    reader = _Reader(kind, definition.let)
    severities = sorted(definition.levels, key=lambda severity: severity.rank)
    texts = [definition.levels[severity] for severity in severities]
    clear = definition.clear
    try:
        trees = [ast.parse(text.strip(), mode="eval").body for text in (*texts, *([clear] if clear else []))]
        points = list(reader.points(trees))
        held = [[bool(reader.value(tree, point)) for point in points] for tree in trees]
    except _NotJudgedError:
        return
    if clear is not None:
        both = next((p for p, *one in zip(points, *held, strict=True) if one[-1] and any(one[:-1])), None)
        if both is not None:
            yield (
                "clear",
                RuleError(f"{reader.said(both)} fulfils it and raises the alert: leave a gap"),
            )
    for lower, higher, low, high in zip(severities, severities[1:], held, held[1:], strict=False):
        if any(low) and all(h for one, h in zip(low, high, strict=True) if one):
            said = f"never seen: wherever it holds, {higher} holds too; are the two swapped?"
            yield f"levels.{lower}", RuleError(said)


class _Reader:
    """Values of expressions at given measurements, as far as one reading decides them."""

    def __init__(self, kind: Kind, lets: Mapping[str, str]) -> None:
        self._numbers = {m.name: m for m in kind.measurements if m.type is ValueType.NUMBER}
        self._defaults = {a.name: a.default for a in kind.attributes}
        self._lets = {name: ast.parse(text.strip(), mode="eval").body for name, text in lets.items()}

    def points(self, trees: list[ast.expr]) -> Iterator[Values]:
        """Yield readings on both sides of every number that the expressions name."""
        nodes = [n for tree in self._needed(trees) for n in ast.walk(tree)]
        names = sorted({n.id for n in nodes if isinstance(n, ast.Name) and n.id in self._numbers})
        if len(names) >= len(POINTS):
            raise _NotJudgedError
        numbers = (n.value for n in nodes if isinstance(n, ast.Constant))
        limits = {float(n) for n in numbers if isinstance(n, int | float)}
        limits |= {-limit for limit in limits}
        tried = [_tried(self._numbers[name], limits, POINTS[len(names)]) for name in names]
        for values in product(*tried):
            yield dict(zip(names, values, strict=True))

    def said(self, at: Values) -> str:
        """Return the measurements of a reading as people write them."""
        return ", ".join(f"{n} {at[n]:g}" for n in at if n in self._numbers) or "every reading"

    def _needed(self, trees: list[ast.expr]) -> list[ast.expr]:
        """Return expressions with those of `let` that they name, however indirectly, each once."""
        named: list[str] = []
        for tree in (found := list(trees)):
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and node.id in self._lets and node.id not in named:
                    named.append(node.id)
                    found.append(self._lets[node.id])
        return found

    def value(self, node: ast.expr, at: Values) -> Any:
        """Return the value of an expression.

        Raises:
            _NotJudgedError: it does not follow from measurements, attributes' defaults and numbers.
        """
        match node:
            case ast.Constant(value=bool() | int() | float()):
                return node.value
            case ast.Name() if node.id in at:
                return at[node.id]
            case ast.Name() if node.id in self._lets:
                return at.setdefault(node.id, self.value(self._lets[node.id], at))
            case ast.Call(func=ast.Name(id="attr"), args=[ast.Name(id=name), *more]):
                return self._attribute(name, more, at)
            case ast.UnaryOp(op=ast.Not()):
                return not self.value(node.operand, at)
            case ast.UnaryOp(op=ast.USub()):
                return -self.value(node.operand, at)
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                return self._arithmetic(node, at)
            case ast.BoolOp():
                quantified = all if isinstance(node.op, ast.And) else any
                return quantified([self.value(part, at) for part in node.values])
            case ast.Compare():
                values = [self.value(part, at) for part in (node.left, *node.comparators)]
                if all(type(op) in _COMPARISONS for op in node.ops):
                    pairs = zip(node.ops, pairwise(values), strict=True)
                    return all(_COMPARISONS[type(op)](*pair) for op, pair in pairs)
        raise _NotJudgedError

    def _attribute(self, name: str, more: list[ast.expr], at: Values) -> Any:
        default = self.value(more[0], at) if more else self._defaults.get(name)
        if not isinstance(default, bool | int | float):
            raise _NotJudgedError
        return default

    def _arithmetic(self, node: ast.BinOp, at: Values) -> Any:
        try:
            return _ARITHMETIC[type(node.op)](self.value(node.left, at), self.value(node.right, at))
        except ZeroDivisionError:
            raise _NotJudgedError from None


def _tried(measurement: Measurement, limits: set[float], points: int) -> list[float]:
    """Return values between a measurement's limits: evenly, and on both sides of each number of the rule."""
    near = sorted(value + step for value in limits for step in (-0.01, 0.0, 0.01))
    low = measurement.low if measurement.low is not None else near[0] if near else 0.0
    high = measurement.high if measurement.high is not None else near[-1] if near else 0.0
    evenly = [low + (high - low) * i / points for i in range(points + 1)]
    return sorted({*evenly, *(value for value in near if low <= value <= high)})


_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_SYMBOLS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
