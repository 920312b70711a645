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

from devices.kinds.kind import AttributeType
from rules import truth
from rules.context import Context
from rules.durations import duration_us
from rules.errors import closest
from rules.geometry import distance_m
from rules.scope import Compiler, History, Type, Typed, wrong

Function = Callable[[Compiler, ast.Call, int], Typed]
_FloatArray = NDArray[np.float64]


def _arguments(call: ast.Call, least: int, most: int, form: str) -> list[ast.expr]:
    if not least <= len(call.args) <= most:
        raise wrong(call, f"write {form}")
    return call.args


def _abs(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    (argument,) = _arguments(call, 1, 1, "abs(x)")
    inner = compiler.wanted(argument, depth, Type.NUMBER).compute
    return Typed(Type.NUMBER, lambda c: np.abs(inner(c)))


def _extreme(choose: Callable[[Any, Any], NDArray[np.float64]], name: str) -> Function:
    def function(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
        arguments = _arguments(call, 2, 16, f"{name}(a, b, ...)")
        parts = [compiler.wanted(a, depth, Type.NUMBER).compute for a in arguments]
        return Typed(Type.NUMBER, lambda c: reduce(choose, [p(c) for p in parts]))

    return function


def _attr(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    name_node, *default_node = _arguments(call, 1, 2, "attr(name) or attr(name, default)")
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


def _type(declared: Any, given: Typed | None) -> Type:
    if declared is not None:
        return _ATTRIBUTE_TYPES[declared.type]
    assert given is not None
    return given.type


def _default(declared: Any, given: Typed | None) -> float | str | None:
    if given is not None:
        return given.constant
    value: float | str | bool | None = declared.default
    return float(value) if isinstance(value, bool | int) else value


def _attribute_of_type(compiler: Compiler, name: str, type_: Type, default: float | str | None) -> Typed:
    scope = compiler.scope
    match type_:
        case Type.POLYGON:
            scope.polygons.add(name)
            return Typed(type_, lambda c: c.facts, name)
        case Type.TEXT:
            scope.texts.add(name)
            typed = Typed(type_, lambda c: _or_text(c.text_attribute(name), default))
        case _:
            scope.numbers.add(name)
            typed = Typed(type_, lambda c: _or_number(c.attribute(name), default))
    scope.shown[name] = typed
    scope.limits.add(name)
    return typed


def _or_number(values: _FloatArray, default: float | str | None) -> _FloatArray:
    return np.where(np.isnan(values), default, values) if isinstance(default, float) else values


def _or_text(values: NDArray[np.object_], default: float | str | None) -> NDArray[np.object_]:
    filled = values.copy()
    filled[truth.missing(values)] = default
    return filled


def _delta(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    (argument,) = _arguments(call, 1, 1, "delta(x)")
    inner, index = _remembered(compiler, argument, depth)
    typed = Typed(Type.NUMBER, lambda c: inner.compute(c) - c.previous(index)[0])
    compiler.scope.shown[ast.unparse(call)] = typed
    return typed


def _rate(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    argument, per_node = _arguments(call, 2, 2, 'rate(x, "1m")')
    per = compiler.wanted(per_node, depth, Type.TEXT).constant
    try:
        per_s = duration_us(str(per)) / 1e6
    except ValueError as error:
        raise wrong(per_node, str(error)) from None
    inner, index = _remembered(compiler, argument, depth)

    def compute(c: Context) -> _FloatArray:
        before, elapsed_s = c.previous(index)
        rate: _FloatArray = (inner.compute(c) - before) / elapsed_s * per_s
        return rate

    typed = Typed(Type.NUMBER, compute)
    compiler.scope.shown[ast.unparse(call)] = typed
    return typed


def _remembered(compiler: Compiler, argument: ast.expr, depth: int) -> tuple[Typed, int]:
    """Return the compiled argument and the index of the history that remembers it."""
    scope = compiler.scope
    typed = compiler.wanted(argument, depth, Type.NUMBER)
    key = ast.unparse(argument)
    for position, history in enumerate(scope.histories):
        if history.key == key:
            return typed, scope.first_history + position
    scope.histories.append(History(key=key, rule=scope.rule, compute=typed.compute, gap=scope.gap))
    return typed, scope.first_history + len(scope.histories) - 1


def _outside(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    (argument,) = _arguments(call, 1, 1, "outside(attr(geofence))")
    polygon = compiler.wanted(argument, depth, Type.POLYGON).constant
    scope = compiler.scope
    if not {"lat", "lon"} <= {m.name for m in scope.kind.measurements}:
        raise wrong(call, f"{scope.kind.name} measures no lat and lon")
    name, suspect = str(polygon), scope.use_suspect

    def compute(c: Context) -> _FloatArray:
        lat, lon = c.number("lat", suspect), c.number("lon", suspect)
        return c.keep(
            ("outside", name, suspect), lambda: c.attributes.polygons[name].outside(c.facts, lat, lon)
        )

    scope.shown["lat"] = Typed(Type.NUMBER, lambda c: c.number("lat", suspect))
    scope.shown["lon"] = Typed(Type.NUMBER, lambda c: c.number("lon", suspect))
    return Typed(Type.CONDITION, compute)


def _sun(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    _arguments(call, 0, 0, "sun()")
    typed = Typed(Type.NUMBER, lambda c: c.sun_deg())
    compiler.scope.shown["sun()"] = typed
    return typed


def _distance(compiler: Compiler, call: ast.Call, depth: int) -> Typed:
    arguments = _arguments(call, 4, 4, "distance_m(lat1, lon1, lat2, lon2)")
    parts = [compiler.wanted(a, depth, Type.NUMBER).compute for a in arguments]
    return Typed(Type.NUMBER, lambda c: distance_m(*(part(c) for part in parts)))


def _bare(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


_ATTRIBUTE_TYPES = {
    AttributeType.NUMBER: Type.NUMBER,
    AttributeType.BOOLEAN: Type.CONDITION,
    AttributeType.TEXT: Type.TEXT,
    AttributeType.POLYGON: Type.POLYGON,
}

FUNCTIONS: Mapping[str, Function] = {
    "abs": _abs,
    "min": _extreme(np.minimum, "min"),
    "max": _extreme(np.maximum, "max"),
    "attr": _attr,
    "delta": _delta,
    "rate": _rate,
    "outside": _outside,
    "sun": _sun,
    "distance_m": _distance,
}
