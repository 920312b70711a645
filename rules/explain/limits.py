"""The limits of rules as numbers: where a chart of a measurement draws its lines.

Only what can be said as one number: a measurement beside a number or an attribute, alone, one of several
that each suffice, or with truths that must hold too; also behind a name of `let`. Must not know whether a
rule holds (rules.explain.explain).
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from alerts.transition import Severity
from devices.kinds.kind import Kind
from devices.registry.registry import Device
from store.connection import Connection

LimitSide = Literal["above", "below"]
_SIDES: Mapping[type[ast.cmpop], LimitSide] = {
    ast.Gt: "above",
    ast.GtE: "above",
    ast.Lt: "below",
    ast.LtE: "below",
}
_TURNED: Mapping[LimitSide, LimitSide] = {"above": "below", "below": "above"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLimit:
    """A rule fires while a measurement is on one side of a value; other conditions may have to hold too."""

    rule: str
    severity: Severity
    measurement: str
    side: LimitSide
    value: float


def limits_of(
    rule: str,
    levels: Mapping[str, str],
    let: Mapping[str, str],
    measurements: Collection[str],
    attributes: Mapping[str, Any],
) -> list[RuleLimit]:
    """Return the limits in a rule's levels, each once.

    Args:
        rule: its id.
        levels: its conditions by severity, as text.
        let: its names.
        measurements: of the kind; what is compared with anything else has no line.
        attributes: of the device; `attr(name, default)` is its value, else the default.
    """
    found: dict[RuleLimit, None] = {}
    known = _Known(let=let, attributes=attributes)
    for severity, text in levels.items():
        for measurement, side, value in _compared(text, known):
            if measurement in measurements:
                limit = RuleLimit(
                    rule=rule, severity=Severity(severity), measurement=measurement, side=side, value=value
                )
                found[limit] = None
    return list(found)


Bound = tuple[str, LimitSide, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What a rule names, and the attributes of the device.

    behind: of names that were looked up; names of names of names would be looked up a thousand times. One
    that is being looked up has none yet, so that a circle ends.
    """

    let: Mapping[str, str]
    attributes: Mapping[str, Any]
    behind: dict[str, list[Bound]] = field(default_factory=dict)


def _compared(text: str, known: _Known) -> list[Bound]:
    with suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        return list(dict.fromkeys(_bounds(ast.parse(text.strip(), mode="eval").body, known)))
    return []


def _named(name: str, known: _Known) -> list[Bound]:
    if name not in known.behind:
        known.behind[name] = []
        known.behind[name] = _compared(known.let[name], known)
    return known.behind[name]


def _bounds(part: ast.expr, known: _Known) -> list[Bound]:
    """Return the numbers at any of which a condition turns; of several that must hold together, none."""
    match part:
        case ast.BoolOp(op=ast.Or(), values=parts):
            return [bound for one in parts for bound in _bounds(one, known)]
        case ast.BoolOp(op=ast.And(), values=parts):
            found = [bounds for one in parts if (bounds := _bounds(one, known))]
            other = [one for one in parts if isinstance(one, ast.Compare)]
            return found[0] if len(found) == 1 and len(other) <= 1 else []
        case ast.Name(id=name) if name in known.let:
            return _named(name, known)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _SIDES:
            return list(_sided(left, _SIDES[type(op)], right, known.attributes))
    return []


def _sided(
    left: ast.expr, side: LimitSide, right: ast.expr, attributes: Mapping[str, Any]
) -> Iterator[Bound]:
    for one, other, of_one in ((left, right, side), (right, left, _TURNED[side])):
        value = _number(other, attributes)
        if isinstance(one, ast.Name) and value is not None:
            yield one.id, of_one, value


def _number(part: ast.expr, attributes: Mapping[str, Any]) -> float | None:
    match part:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            negated = _number(operand, attributes)
            return None if negated is None else -negated
        case ast.Call(func=ast.Name(id="attr"), args=[ast.Name(id=name), default]):
            own = attributes.get(name)
            number = isinstance(own, int | float) and not isinstance(own, bool)
            return float(own) if number else _number(default, attributes)  # type: ignore[arg-type]
    return None


_RULES = """
SELECT id, definition -> 'levels' AS levels, coalesce(definition -> 'let', '{}') AS let
FROM rule
WHERE
    active AND broken_at IS NULL AND jsonb_typeof(definition -> 'levels') = 'object'
    AND (kind = $1 OR kind IS NULL)
ORDER BY id
"""


async def device_limits(connection: Connection, kind: Kind, device: Device) -> list[RuleLimit]:
    """Return the limits of all rules in force that judge a device, by rule."""
    measurements = {one.name for one in kind.measurements}
    return [
        limit
        for row in await connection.fetch(_RULES, kind.name)
        for limit in limits_of(row["id"], row["levels"], row["let"], measurements, device.attributes)
    ]
