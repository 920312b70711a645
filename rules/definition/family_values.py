"""How values of a family's keys are written: comparisons, severities, numbers, distances, shares. Pure."""

from __future__ import annotations

import re

from alerts.transition import Severity
from rules.definition.errors import RuleError, closest
from rules.definition.families import Comparison

_NAME, _NUMBER = r"[a-z][a-z0-9_]*", r"-?\d+(?:\.\d+)?"
_COMPARISON = re.compile(
    rf"({_NAME})\s*(<=|>=|<|>)\s*(?:({_NUMBER})((?:\s*\*\s*{_NAME})*)|({_NAME}(?:\s*\*\s*{_NAME})*))"
)
_METRES = re.compile(r"(\d+(?:\.\d+)?)\s*m")


def comparisons(text: str) -> tuple[Comparison, ...]:
    """Return "power_w < 0.04 * rated_power_w and dim_pct >= 1" as comparisons.

    Raises:
        RuleError: it is something else.
    """
    found = [_COMPARISON.fullmatch(part.strip()) for part in text.split(" and ")]
    if not all(found):
        raise RuleError(f"{text!r} is not comparisons such as power_w < 5 and dim_pct >= 1")
    return tuple(
        Comparison(
            measurement=m[1],
            operator=m[2],  # type: ignore[arg-type]
            value=float(m[3] or 1),
            factors=tuple(re.findall(_NAME, m[4] or m[5] or "")),
        )
        for m in found
        if m
    )


def severity(text: str) -> Severity:
    """Return the severity of that name.

    Raises:
        RuleError: there is none.
    """
    if text not in set(Severity):
        raise RuleError(f"{text} is not a severity", suggestion=closest(text, Severity))
    return Severity(text)


def number(text: str) -> float:
    """Return a number that something can measure.

    Raises:
        RuleError: it is none.
    """
    try:
        found = float(text)
    except ValueError:
        raise RuleError(f"{text!r} is not a number") from None
    if not abs(found) < 1e300:
        raise RuleError(f"{text[:20]!r} is not a number that anything measures")
    return found


def whole(text: str) -> int:
    """Return a whole number.

    Raises:
        RuleError: it is none.
    """
    if not text.isdecimal() or len(text) > 9:
        raise RuleError(f"{text!r} is not a whole number")
    return int(text)


def metres(text: str) -> float:
    """Return "500 m" in metres.

    Raises:
        RuleError: it is no distance.
    """
    found = _METRES.fullmatch(text)
    if not found:
        raise RuleError(f"{text!r} is not a distance such as 500 m")
    return float(found[1])


def share(text: str) -> float:
    """Return "60%" or "0.6" as a share, 0 to 1.

    Raises:
        RuleError: it is none.
    """
    found = number(text.rstrip("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= found <= 1:
        raise RuleError(f"{text!r} is not a share such as 60% or 0.6")
    return found
