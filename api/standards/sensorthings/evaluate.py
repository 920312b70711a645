"""What an expression says of an entity: its operators and functions. Pure.

Null, or a value of another sort, makes a comparison false and everything else null; a path that leads to
several entities gives several values, of which one that fits is enough.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from api.standards.sensorthings.expression import COMPARISONS, BadExpression, Call, Literal, Node, Path
from devices.distance import distance_m
from devices.instants import of_rfc3339, to_datetime

Find = Callable[[tuple[str, ...]], list[Any]]
"""Returns the values of a path, seen from the entity that is asked about."""
Check = Callable[[], None]
"""Called at every step; raises where evaluating takes too long."""

LONGEST = 10_000
"""Characters of a text that concat may make."""
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "ge": operator.ge, "lt": operator.lt,
    "le": operator.le,
}  # fmt: skip
_RELATIONS: Mapping[str, Callable[[BaseGeometry, BaseGeometry], Any]] = {
    "st_equals": BaseGeometry.equals,
    "st_disjoint": BaseGeometry.disjoint,
    "st_touches": BaseGeometry.touches,
    "st_within": BaseGeometry.within,
    "st_overlaps": BaseGeometry.overlaps,
    "st_crosses": BaseGeometry.crosses,
    "st_intersects": BaseGeometry.intersects,
    "st_contains": BaseGeometry.contains,
    "geo.intersects": BaseGeometry.intersects,
}


def _distance(one: BaseGeometry, other: BaseGeometry) -> float:
    """Return metres from point to point, along the Earth."""
    a, b = one.representative_point(), other.representative_point()
    return float(distance_m(a.y, a.x, b.y, b.x))


def _round(value: float) -> float:
    return math.floor(abs(value) + 0.5) * (1 if value >= 0 else -1)  # away from zero, as OData says


_TEXT: Mapping[tuple[str, int], Callable[..., Any]] = {
    ("substringof", 2): lambda part, text: part in text,
    ("contains", 2): lambda text, part: part in text,
    ("endswith", 2): str.endswith,
    ("startswith", 2): str.startswith,
    ("length", 1): len,
    ("indexof", 2): str.find,
    ("tolower", 1): str.lower,
    ("toupper", 1): str.upper,
    ("trim", 1): str.strip,
    ("concat", 2): lambda one, other: (one + other)[:LONGEST],
}
_NUMBER: Mapping[tuple[str, int], Callable[..., Any]] = {
    ("round", 1): _round,
    ("floor", 1): math.floor,
    ("ceiling", 1): math.ceil,
    ("add", 2): operator.add,
    ("sub", 2): operator.sub,
    ("mul", 2): operator.mul,
    ("div", 2): operator.truediv,
    ("mod", 2): math.fmod,
}
_INSTANT: Mapping[tuple[str, int], Callable[..., Any]] = {
    ("year", 1): lambda t: t.year,
    ("month", 1): lambda t: t.month,
    ("day", 1): lambda t: t.day,
    ("hour", 1): lambda t: t.hour,
    ("minute", 1): lambda t: t.minute,
    ("second", 1): lambda t: t.second,
    ("fractionalseconds", 1): lambda t: t.microsecond / 1e6,
    ("date", 1): lambda t: t.date().isoformat(),
    ("time", 1): lambda t: t.time().isoformat(),
    ("totaloffsetminutes", 1): lambda _: 0,
}
_GEOMETRY: Mapping[tuple[str, int], Callable[..., Any]] = {
    **{(name, 2): relation for name, relation in _RELATIONS.items()},
    ("geo.distance", 2): _distance,
    ("geo.length", 1): lambda line: line.length,
}
FUNCTIONS = {*_TEXT, *_NUMBER, *_INSTANT, *_GEOMETRY, ("substring", 2), ("substring", 3), ("now", 0)} | {
    ("mindatetime", 0),
    ("maxdatetime", 0),
}
OPERATORS = {("and", 2), ("or", 2), ("not", 1), *((name, 2) for name in COMPARISONS)}


def check(node: Node) -> None:
    """Refuse functions that there are not.

    Raises:
        BadExpression: it calls one, or one with too many or too few arguments.
    """
    if isinstance(node, Call):
        if (node.name, len(node.arguments)) not in FUNCTIONS | OPERATORS:
            known = sorted({name for name, _ in FUNCTIONS})
            if node.name in known:
                raise BadExpression(f"{node.name} does not take {len(node.arguments)} arguments")
            raise BadExpression(f"{node.name!r} is no function here; there are {', '.join(known)}")
        for argument in node.arguments:
            check(argument)


def is_true(node: Node, find: Find, now: datetime, check_time: Check) -> bool:
    """Tell whether an expression is true of an entity."""
    return any(value is True for value in values(node, find, now, check_time))


def values(node: Node, find: Find, now: datetime, check_time: Check) -> list[Any]:
    """Return the values of an expression: several only where a path leads to several entities."""
    check_time()
    match node:
        case Literal():
            return [node.value]
        case Path():
            return [_plain(value) for value in find(node.parts)]
        case Call():
            return _called(node, find, now, check_time)


def _called(node: Call, find: Find, now: datetime, check_time: Check) -> list[Any]:
    match node.name:
        case "and":
            return [all(is_true(one, find, now, check_time) for one in node.arguments)]
        case "or":
            return [any(is_true(one, find, now, check_time) for one in node.arguments)]
        case "not":
            return [not is_true(node.arguments[0], find, now, check_time)]
        case "now":
            return [now]
        case "mindatetime":
            return [datetime(1900, 1, 1, tzinfo=UTC)]
        case "maxdatetime":
            return [datetime(9998, 1, 1, tzinfo=UTC)]
    given = [values(one, find, now, check_time) or [None] for one in node.arguments]
    if node.name in _COMPARE:
        return [any(_fits(node.name, left, given[1], check_time) for left in given[0])]
    first, *others = given
    rest = [several[0] for several in others]
    return [_applied(node.name, [one, *rest], check_time) for one in first]


def _fits(name: str, left: Any, several: list[Any], check_time: Check) -> bool:
    check_time()
    return any(_compared(name, left, right) for right in several)


def _applied(name: str, arguments: list[Any], check_time: Check) -> Any:
    """Return what a function makes of its arguments, None where they are of another sort."""
    check_time()
    key = (name, len(arguments))
    try:
        if key in _TEXT and all(isinstance(one, str) for one in arguments):
            return _TEXT[key](*arguments)
        if name == "substring" and isinstance(arguments[0], str):
            start, length = arguments[1], arguments[2] if len(arguments) == 3 else None
            end = None if length is None else int(start) + int(length)
            return arguments[0][int(start) : end]
        if key in _NUMBER and all(_is_number(one) for one in arguments):
            return _NUMBER[key](*arguments)
        if name in ("add", "sub"):
            return _shifted(name, *arguments)
        if key in _INSTANT and isinstance(arguments[0], datetime):
            return _INSTANT[key](arguments[0].astimezone(UTC))
        if key in _GEOMETRY and all(isinstance(one, BaseGeometry) for one in arguments):
            found = _GEOMETRY[key](*arguments)
            return found if isinstance(found, float) else bool(found)
    except (ArithmeticError, ValueError, TypeError, shapely.errors.ShapelyError):
        return None
    return None


def _shifted(name: str, one: Any, other: Any) -> Any:
    """Return an instant moved by a duration, or what lies between two instants."""
    if isinstance(other, timedelta) and isinstance(one, datetime | timedelta):
        return one + other if name == "add" else one - other
    if name == "sub" and isinstance(one, datetime) and isinstance(other, datetime):
        return one - other
    return None


def _compared(name: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return (name == "eq" and left is right) or (name == "ne" and left is not right)
    if isinstance(left, str) and isinstance(right, datetime):
        left = _instant(left)
    if isinstance(right, str) and isinstance(left, datetime):
        right = _instant(right)
    alike = type(left) is type(right) or (_is_number(left) and _is_number(right))
    if isinstance(left, BaseGeometry | dict | list) or not alike:
        return name == "ne" and not alike
    return bool(_COMPARE[name](left, right))


def _plain(value: Any) -> Any:
    """Return a value as functions take it: GeoJSON as a geometry."""
    if isinstance(value, Mapping) and "coordinates" in value:
        return shape(dict(value))
    return value


def _instant(text: str) -> Any:
    try:
        return to_datetime(of_rfc3339(text))
    except (ValueError, TypeError):
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def sort_key(several: Iterable[Any]) -> tuple[int, Any]:
    """Return what values of an expression are sorted by: nulls first, then numbers, instants and texts."""
    for value in several:
        if isinstance(value, bool):
            return 1, float(value)
        if _is_number(value):
            return 1, float(value)
        if isinstance(value, datetime):
            return 2, value.timestamp()
        if isinstance(value, str):
            return 3, value
    return 0, 0.0
