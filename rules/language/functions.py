"""The functions of the expression language; adding one is adding an entry to FUNCTIONS.

Pure. Each gets the call's syntax, checks its arguments, and returns what computes it over whole columns.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.curves import parse_curve
from devices.distance import distance_m
from devices.kinds.kind import AttributeType
from rules.context.context import RuleContext
from rules.context.curves import interpolate
from rules.definition.errors import closest
from rules.language.arguments import arguments
from rules.language.history_functions import PAST
from rules.language.scope import Compiler, Expression, ExpressionType, wrong

Function = Callable[[Compiler, ast.Call, int], Expression]
_FloatArray = NDArray[np.float64]


def _abs(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    (argument,) = arguments(call, 1, 1, "abs(x)")
    inner = compiler.wanted(argument, depth, ExpressionType.NUMBER).compute
    return Expression(ExpressionType.NUMBER, lambda c: np.abs(inner(c)))


def _extreme(choose: Callable[[Any, Any], NDArray[np.float64]], name: str) -> Function:
    def function(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
        given = arguments(call, 2, 16, f"{name}(a, b, ...)")
        parts = [compiler.wanted(a, depth, ExpressionType.NUMBER).compute for a in given]
        return Expression(ExpressionType.NUMBER, lambda c: reduce(choose, [p(c) for p in parts]))

    return function


def _attr(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    name_node, *default_node = arguments(call, 1, 2, "attr(name) or attr(name, default)")
    name = _bare(name_node)
    if name is None:
        raise wrong(name_node, "attr() takes the name of an attribute")
    declared = compiler.scope.attribute(name)
    given = compiler.compile(default_node[0], depth) if default_node else None
    if given is not None and given.constant is None:
        raise wrong(default_node[0], "a default is a plain value")
    if declared is None and given is None:
        known = [a.name for a in compiler.scope.kind.attributes]
        message = f"{compiler.scope.kind.name} declares no attribute {name}; give a default, attr({name}, 1)"
        raise wrong(name_node, message, closest(name, known))
    return _attribute_of_type(compiler, name, _type(declared, given), _default(declared, given))


def _type(declared: Any, given: Expression | None) -> ExpressionType:
    if declared is not None:
        return _ATTRIBUTE_TYPES[declared.type]
    assert given is not None
    return given.type


def _default(declared: Any, given: Expression | None) -> float | str | None:
    if given is not None:
        return given.constant
    value: float | str | bool | None = declared.default
    return float(value) if isinstance(value, bool | int) else value


def _attribute_of_type(
    compiler: Compiler, name: str, type_: ExpressionType, default: float | str | None
) -> Expression:
    scope = compiler.scope
    match type_:
        case ExpressionType.POLYGON:
            scope.polygons.add(name)
            return Expression(type_, lambda c: c.facts, name)
        case ExpressionType.TEXT:
            scope.texts.add(name)
            text = default if isinstance(default, str) else None
            typed = Expression(type_, lambda c: c.text_attribute(name, text))
        case _:
            scope.numbers.add(name)
            typed = Expression(type_, lambda c: _or_number(c.attribute(name), default))
    scope.shown[name] = typed
    scope.limits.add(name)
    return typed


def _or_number(values: _FloatArray, default: float | str | None) -> _FloatArray:
    return np.where(np.isnan(values), default, values) if isinstance(default, float) else values


def _outside(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    (argument,) = arguments(call, 1, 1, "outside(attr(geofence))")
    polygon = compiler.wanted(argument, depth, ExpressionType.POLYGON).constant
    scope = compiler.scope
    if not {"lat", "lon"} <= {m.name for m in scope.kind.measurements}:
        raise wrong(call, f"{scope.kind.name} measures no lat and lon")
    name, suspect = str(polygon), scope.use_suspect

    def compute(c: RuleContext) -> _FloatArray:
        lat, lon = c.number("lat", suspect), c.number("lon", suspect)
        return c.keep(
            ("outside", name, suspect), lambda: c.attributes.polygons[name].outside(c.facts, lat, lon)
        )

    scope.shown["lat"] = Expression(ExpressionType.NUMBER, lambda c: c.number("lat", suspect))
    scope.shown["lon"] = Expression(ExpressionType.NUMBER, lambda c: c.number("lon", suspect))
    return Expression(ExpressionType.CONDITION, compute)


def _sun(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "sun()")
    typed = Expression(ExpressionType.NUMBER, lambda c: c.sun_deg())
    compiler.scope.shown["sun()"] = typed
    return typed


def _lag(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "lag()")
    typed = Expression(ExpressionType.NUMBER, lambda c: c.lag_s())
    compiler.scope.shown["lag()"] = typed
    return typed


def _clock_corrected(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "clock_corrected()")
    return Expression(ExpressionType.CONDITION, lambda c: c.clock_corrected())


def _clock_unset(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "clock_unset()")
    return Expression(ExpressionType.CONDITION, lambda c: c.clock_unset())


def _suspect(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    """Whether a measurement is marked; undecided where there is none."""
    (argument,) = arguments(call, 1, 1, "suspect(burn_hours)")
    name = _bare(argument)
    known = [m.name for m in compiler.scope.kind.measurements]
    if name is None or name not in known:
        raise wrong(argument, "suspect() takes the name of a measurement", closest(str(name), known))
    return Expression(ExpressionType.CONDITION, lambda c: c.suspect(name))


def _empty(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "empty()")
    return Expression(ExpressionType.CONDITION, lambda c: c.empty())


def _word_unknown(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "word_unknown()")
    return Expression(ExpressionType.CONDITION, lambda c: c.word_unknown())


def _words_unknown(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    arguments(call, 0, 0, "words_unknown()")
    return Expression(ExpressionType.TEXT, lambda c: c.words_unknown())


def _known(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    """x, or something else where x is undecided."""
    x_node, otherwise_node = arguments(call, 2, 2, "known(x, otherwise)")
    x = compiler.wanted(x_node, depth, ExpressionType.NUMBER, ExpressionType.CONDITION)
    otherwise = compiler.wanted(otherwise_node, depth, x.type).compute

    def compute(c: RuleContext) -> _FloatArray:
        value = x.compute(c)
        unknown = np.isnan(value)
        return np.where(unknown, otherwise(c), value) if unknown.any() else value

    return Expression(x.type, compute, measurement=x.measurement)


def _only(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    """x where a condition holds, undecided elsewhere."""
    x_node, condition_node = arguments(call, 2, 2, "only(x, condition)")
    x = compiler.wanted(x_node, depth, ExpressionType.NUMBER, ExpressionType.CONDITION)
    condition = compiler.wanted(condition_node, depth, ExpressionType.CONDITION).compute

    def compute(c: RuleContext) -> _FloatArray:
        holds = condition(c) == 1
        return np.where(holds, x.compute(c), np.nan) if holds.any() else np.full(len(c), np.nan)

    return Expression(x.type, compute, measurement=x.measurement)


def _away(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    """Metres between the device's registered position and the one it reports."""
    arguments(call, 0, 0, "away_m()")
    scope = compiler.scope
    if not {"lat", "lon"} <= {m.name for m in scope.kind.measurements}:
        raise wrong(call, f"{scope.kind.name} measures no lat and lon")
    suspect = scope.use_suspect

    def compute(c: RuleContext) -> _FloatArray:
        metres = np.full(len(c), np.nan)
        lat, lon = c.number("lat", suspect), c.number("lon", suspect)
        # Positions come rarely.
        rows = np.flatnonzero(~np.isnan(lat) & c.attributes.placed[c.facts])
        if len(rows):
            own_lat, own_lon = c.coordinates()
            metres[rows] = distance_m(lat[rows], lon[rows], own_lat[rows], own_lon[rows])
        return metres

    typed = Expression(ExpressionType.NUMBER, compute)
    scope.shown["away_m()"] = typed
    return typed


def _curve(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    x_node, points_node = arguments(call, 2, 2, 'curve(x, "0:0.5 100:1")')
    x = compiler.wanted(x_node, depth, ExpressionType.NUMBER).compute
    points = compiler.wanted(points_node, depth, ExpressionType.TEXT)
    if isinstance(points.constant, str):
        fixed = parse_curve(points.constant)
        if fixed is None:
            raise wrong(points_node, "a curve is points such as 0:0.5 50:0.8 100:1, x rising")
        xs, ys = fixed
        return Expression(ExpressionType.NUMBER, lambda c: np.interp(x(c), xs, ys))
    return Expression(ExpressionType.NUMBER, lambda c: interpolate(x(c), points.compute(c)))


def _distance(compiler: Compiler, call: ast.Call, depth: int) -> Expression:
    given = arguments(call, 4, 4, "distance_m(lat1, lon1, lat2, lon2)")
    parts = [compiler.wanted(a, depth, ExpressionType.NUMBER).compute for a in given]
    return Expression(ExpressionType.NUMBER, lambda c: distance_m(*(part(c) for part in parts)))


def _bare(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


_ATTRIBUTE_TYPES = {
    AttributeType.NUMBER: ExpressionType.NUMBER,
    AttributeType.BOOLEAN: ExpressionType.CONDITION,
    AttributeType.TEXT: ExpressionType.TEXT,
    AttributeType.CURVE: ExpressionType.TEXT,
    AttributeType.POLYGON: ExpressionType.POLYGON,
}

READS: Mapping[str, frozenset[str]] = {name: frozenset({"lat", "lon"}) for name in ("away_m", "outside")}
"""Measurements that functions read without being named in the expression."""

FUNCTIONS: Mapping[str, Function] = {
    "abs": _abs,
    "min": _extreme(np.minimum, "min"),
    "max": _extreme(np.maximum, "max"),
    "attr": _attr,
    **PAST,
    "outside": _outside,
    "sun": _sun,
    "lag": _lag,
    "clock_corrected": _clock_corrected,
    "clock_unset": _clock_unset,
    "suspect": _suspect,
    "empty": _empty,
    "word_unknown": _word_unknown,
    "words_unknown": _words_unknown,
    "known": _known,
    "only": _only,
    "away_m": _away,
    "curve": _curve,
    "distance_m": _distance,
}
