"""Conditions: text to functions over whole columns, by a whitelist of syntax; text is never evaluated.

Types are checked against a kind before anything runs. Numbers and truths are float64 with NaN for
"cannot tell"; see rules.context.truth. Pure: must not know where rules or readings come from.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import ValueType, floor_attribute
from rules.context import truth
from rules.context.context import RuleContext
from rules.definition.errors import RuleError, closest, together
from rules.language.functions import FUNCTIONS
from rules.language.scope import Compute, Expression, ExpressionType, Scope, wrong

Compare = Callable[[Any, Any], NDArray[np.bool_]]

LONGEST = 1000
DEEPEST = 40


def compile_condition(text: str, scope: Scope) -> Expression:
    """Compile an expression that must be a condition.

    Raises:
        RuleError: with the column at fault.
    """
    typed = compile_expression(text, scope)
    if typed.type is not ExpressionType.CONDITION:
        raise RuleError(f"a condition is needed, this is {typed.type}", column=1)
    return typed


def compile_expression(text: str, scope: Scope) -> Expression:
    """Compile an expression of any type.

    Raises:
        RuleError: with the column at fault.
    """
    if len(text) > LONGEST:
        raise RuleError(f"an expression has at most {LONGEST} characters", column=1)
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        column = error.offset or 1 if isinstance(error, SyntaxError) else 1
        hint = "==" if isinstance(error, SyntaxError) and _assigns(text) else None
        raise RuleError("this is not an expression", column=column, suggestion=hint) from None
    return _Compiler(scope).compile(tree.body, 0)


def _assigns(text: str) -> bool:
    bare = text
    for operator in ("==", "<=", ">=", "!="):
        bare = bare.replace(operator, "")
    return "=" in bare


class _Compiler:
    """One pass over one expression's syntax tree; whatever has no method here is refused."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._nodes: Mapping[type[ast.expr], Callable[[Any, int], Expression]] = {
            ast.BoolOp: self._bool_op,
            ast.UnaryOp: self._unary_op,
            ast.BinOp: self._bin_op,
            ast.Compare: self._compare,
            ast.Constant: self._constant,
            ast.Name: self._name,
            ast.Call: self._call,
        }

    def compile(self, node: ast.expr, depth: int) -> Expression:
        if depth > DEEPEST:
            raise wrong(node, "this is nested too deeply")
        visit = self._nodes.get(type(node))
        if visit is None:
            what = type(node).__name__.lower()
            raise wrong(node, f"conditions are made of comparisons, arithmetic and functions, not {what}")
        return visit(node, depth + 1)

    def wanted(self, node: ast.expr, depth: int, *types: ExpressionType) -> Expression:
        typed = self.compile(node, depth)
        if typed.type not in types:
            raise wrong(node, f"{' or '.join(types)} is needed here, this is {typed.type}")
        return typed

    def _bool_op(self, node: ast.BoolOp, depth: int) -> Expression:
        parts = self._each(node.values, depth)
        return Expression(
            ExpressionType.CONDITION, _all(parts) if isinstance(node.op, ast.And) else _any(parts)
        )

    def _each(self, nodes: Iterable[ast.expr], depth: int) -> list[Compute]:
        """Compile conditions beside each other; a mistake in one does not hide those in the others."""
        parts: list[Compute] = []
        mistakes: list[RuleError] = []
        for node in nodes:
            try:
                parts.append(self.wanted(node, depth, ExpressionType.CONDITION).compute)
            except RuleError as error:
                mistakes.append(error)
        if mistakes:
            raise together(mistakes)
        return parts

    def _unary_op(self, node: ast.UnaryOp, depth: int) -> Expression:
        if isinstance(node.op, ast.Not):
            inner = self.wanted(node.operand, depth, ExpressionType.CONDITION).compute
            return Expression(ExpressionType.CONDITION, lambda c: truth.negated(inner(c)))
        if not isinstance(node.op, ast.USub | ast.UAdd):
            raise wrong(node, "only `not` and `-` stand before a value")
        typed = self.wanted(node.operand, depth, ExpressionType.NUMBER)
        if isinstance(node.op, ast.UAdd):
            return typed
        if isinstance(typed.constant, float):
            return _number(-typed.constant)
        return Expression(ExpressionType.NUMBER, lambda c: -typed.compute(c))

    def _bin_op(self, node: ast.BinOp, depth: int) -> Expression:
        a = self.wanted(node.left, depth, ExpressionType.NUMBER).compute
        b = self.wanted(node.right, depth, ExpressionType.NUMBER).compute
        operation = _ARITHMETIC.get(type(node.op))
        if operation is None:
            raise wrong(node, "arithmetic is + - * / here")
        return Expression(ExpressionType.NUMBER, lambda c: operation(a(c), b(c)))

    def _compare(self, node: ast.Compare, depth: int) -> Expression:
        pairs: list[Compute] = []
        left = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            pairs.append(self._pair(left, op, right, depth))
            left = right
        return Expression(ExpressionType.CONDITION, _all(pairs))

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr, depth: int) -> Compute:
        if isinstance(op, ast.In | ast.NotIn):
            found = self._one_of(left, right, depth)
            return found if isinstance(op, ast.In) else lambda c: truth.negated(found(c))
        compare = _COMPARISONS.get(type(op))
        if compare is None:
            raise wrong(right, "comparisons are < <= == != > >= and in")
        a = self.wanted(left, depth, ExpressionType.NUMBER, ExpressionType.TEXT, ExpressionType.CONDITION)
        b = self.wanted(right, depth, a.type)
        if a.type is not ExpressionType.NUMBER and not isinstance(op, ast.Eq | ast.NotEq):
            raise wrong(left, f"{a.type} can only be equal or not")
        self._known_choice(left, b.constant, right)
        texts = self._texts(left, [b.constant])
        if texts is not None:
            return texts if isinstance(op, ast.Eq) else lambda c: truth.negated(texts(c))
        if a.type is ExpressionType.TEXT:
            return lambda c: _compare_texts(compare, a.compute(c), b.compute(c), len(c))
        if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) and (floor := self._floor(left, right)):
            return lambda c: _compare_above(compare, a.compute(c), b.compute(c), floor(c))
        if isinstance(b.constant, float):
            constant, number = b.constant, a.compute
            return lambda c: _compare_constant(compare, number(c), constant)
        return lambda c: _compare_numbers(compare, a.compute(c), b.compute(c))

    def _floor(self, *nodes: ast.expr) -> Compute | None:
        """Return below which value the meter of a compared measurement tells nothing, None without one."""
        scope = self.scope
        floors = {m.name: m.floor for m in scope.kind.measurements if m.floor is not None}
        name = next((n.id for n in nodes if isinstance(n, ast.Name) and n.id in floors), None)
        if name is None or name in scope.lets:
            return None
        attribute, usual = floor_attribute(name), floors[name]
        scope.numbers.add(attribute)
        return lambda c: c.keep(("floor", name), lambda: _filled(c.attribute(attribute), usual))

    def _one_of(self, left: ast.expr, right: ast.expr, depth: int) -> Compute:
        if not isinstance(right, ast.Tuple | ast.List | ast.Set) or not right.elts:
            raise wrong(right, "`in` needs a list such as (1, 2)")
        a = self.wanted(left, depth, ExpressionType.NUMBER, ExpressionType.TEXT)
        options = [self.wanted(e, depth, a.type) for e in right.elts]
        for option, element in zip(options, right.elts, strict=True):
            if option.constant is None:
                raise wrong(element, "`in` needs plain values")
            self._known_choice(left, option.constant, element)
        values = {o.constant for o in options}
        texts = self._texts(left, values)
        if texts is not None:
            return texts
        if a.type is ExpressionType.TEXT:
            return lambda c: _texts_in(a.compute(c), values)
        return _any([_equals(a.compute, v) for v in values if isinstance(v, float)])

    def _texts(self, node: ast.expr, values: Iterable[object]) -> Compute | None:
        """Return what tells whether a text measurement is one of some plain texts; None for anything else."""
        wanted = frozenset(v for v in values if isinstance(v, str))
        known = {m.name for m in self.scope.kind.measurements if m.type is ValueType.TEXT}
        if not wanted or not isinstance(node, ast.Name) or node.id not in known - set(self.scope.lets):
            return None
        name, suspect = node.id, self.scope.use_suspect

        def compute(c: RuleContext) -> NDArray[np.float64]:
            return truth.decided(c.says(name, wanted, suspect), c.numbered(name, suspect) == -1)

        return lambda c: c.keep(("texts", name, suspect, wanted), lambda: compute(c))

    def _known_choice(self, left: ast.expr, value: object, right: ast.expr) -> None:
        """Refuse a text that the measurement can never have: it would be a condition that never holds."""
        if not isinstance(left, ast.Name) or not isinstance(value, str):
            return
        choices = next((m.choices for m in self.scope.kind.measurements if m.name == left.id), ())
        if choices and value not in choices:
            raise wrong(right, f"{left.id} is never {value!r}", _quoted(closest(value, choices)))

    def _constant(self, node: ast.Constant, depth: int) -> Expression:
        match node.value:
            case bool():
                return _truth(node.value)
            case int() | float() if abs(node.value) < 1e300:
                return _number(float(node.value))
            case str():
                text = node.value
                return Expression(ExpressionType.TEXT, lambda c: np.full(len(c), text, dtype=object), text)
        raise wrong(node, f"{node.value!r} is not a value conditions know")

    def _name(self, node: ast.Name, depth: int) -> Expression:
        name, scope = node.id, self.scope
        if name in ("true", "false"):
            return _truth(name == "true")
        if name in scope.lets:
            typed = scope.lets[name]
        elif name in {m.name for m in scope.kind.measurements}:
            typed = self._measurement(name)
        elif name in FUNCTIONS:
            near = closest(name, scope.names())
            raise wrong(node, f"{name} is a function: write {name}(...)", near)
        else:
            raise wrong(
                node, f"{scope.kind.name} measures no {name}", closest(name, [*scope.names(), *FUNCTIONS])
            )
        scope.shown[name] = typed
        return typed

    def _measurement(self, name: str) -> Expression:
        suspect = self.scope.use_suspect
        measurement = self.scope.kind.measurement(name)
        match measurement.type:
            case ValueType.TEXT:
                return Expression(ExpressionType.TEXT, lambda c: c.text(name, suspect))
            case ValueType.BOOLEAN:
                return Expression(ExpressionType.CONDITION, lambda c: c.number(name, suspect))
            case _:
                return Expression(
                    ExpressionType.NUMBER, lambda c: c.number(name, suspect), measurement=measurement
                )

    def _call(self, node: ast.Call, depth: int) -> Expression:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise wrong(node, "a function is called by its name, with values in order")
        function = FUNCTIONS.get(node.func.id)
        if function is None:
            hint = closest(node.func.id, FUNCTIONS)
            raise wrong(node.func, f"there is no function {node.func.id}", hint)
        return function(self, node, depth)


def _quoted(text: str | None) -> str | None:
    return f'"{text}"' if text else None


def _number(value: float) -> Expression:
    return Expression(ExpressionType.NUMBER, lambda c: np.full(len(c), value), value)


def _truth(value: bool) -> Expression:
    return Expression(ExpressionType.CONDITION, lambda c: np.full(len(c), float(value)), float(value))


def _all(parts: list[Compute]) -> Compute:
    return _fold(truth.both, lambda result: not result.any(), parts)


def _any(parts: list[Compute]) -> Compute:
    return _fold(truth.either, lambda result: bool((result == 1).all()), parts)


def _fold(
    join: Callable[[Any, Any], NDArray[Any]], decided: Callable[[NDArray[Any]], bool], parts: list[Compute]
) -> Compute:
    """Return what joins the parts, as far as what follows could still change a row."""
    if len(parts) == 1:
        return parts[0]

    def compute(context: RuleContext) -> NDArray[Any]:
        result = parts[0](context)
        for part in parts[1:]:
            if decided(result):
                break
            result = join(result, part(context))
        return result

    return compute


def _compare_constant(compare: Compare, a: NDArray[np.float64], constant: float) -> NDArray[np.float64]:
    return truth.decided(compare(a, constant), np.isnan(a))


def _compare_numbers(compare: Compare, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return truth.decided(compare(a, b), np.isnan(a) | np.isnan(b))


def _filled(values: NDArray[np.float64], otherwise: float) -> NDArray[np.float64]:
    return np.where(np.isnan(values), otherwise, values)


def _compare_above(
    compare: Compare, a: NDArray[np.float64], b: NDArray[np.float64], floor: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Compare, undecided also where both lie below what the meter can tell."""
    return truth.decided(compare(a, b), np.isnan(a) | np.isnan(b) | ((a < floor) & (b < floor)))


def _compare_texts(
    compare: Compare, a: NDArray[np.object_], b: NDArray[np.object_], n: int
) -> NDArray[np.float64]:
    missing = truth.missing(a) | truth.missing(b)
    return truth.decided(compare(a, b).astype(bool), missing)


def _texts_in(a: NDArray[np.object_], values: set[float | str | None]) -> NDArray[np.float64]:
    return np.array([np.nan if v is None else float(v in values) for v in a], dtype=np.float64)


def _equals(compute: Compute, value: float) -> Compute:
    return lambda c: _compare_constant(np.equal, compute(c), value)


def _divide(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a / b, undecided where b is 0."""
    return a / np.where(b == 0, np.nan, b)


_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], NDArray[np.float64]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: _divide,
}
_COMPARISONS: Mapping[type[ast.cmpop], Compare] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
