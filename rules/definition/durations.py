"""Times as rule files write them: 90s, 10m, 1.5h, 2d, 3 intervals, 2 readings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rules.definition.errors import RuleError, closest

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
INTERVALS = re.compile(r"(\d+(?:\.\d+)?)\s*intervals?")
_READINGS = re.compile(r"(\d+)\s*readings?")
_UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
LONGEST_US = 3_653 * 86_400_000_000
_COUNTED = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")
_WORDS = {
    "sec": "s", "secs": "s", "second": "s", "seconds": "s", "mn": "m", "min": "m", "mins": "m",
    "minute": "m", "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h", "day": "d", "days": "d",
}  # fmt: skip
"""Other spellings of units."""


def duration_us(text: str, *others: str) -> int:
    """Return "90s", "10m", "1.5h" or "2d" in microseconds.

    Args:
        others: what could be counted instead of time, such as "readings".

    Raises:
        RuleError: it is not a duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found:
        message = f"{text!r} is not a duration such as 90s, 10m, 2h or 3d"
        raise RuleError(message, suggestion=meant(text, others))
    length = float(found[1]) * _UNITS[found[2]]
    if length > LONGEST_US:
        raise RuleError(f"{text[:20]!r} is longer than ten years")
    return round(length)


def readings(text: str) -> int | None:
    """Return "2 readings" as a number, None when it counts something else.

    Raises:
        RuleError: more than anybody waits for.
    """
    found = _READINGS.fullmatch(text.strip())
    if found is None:
        return None
    if len(found[1]) > 4:
        raise RuleError(f"{text[:20]!r} is more than 9999 readings")
    return int(found[1])


def intervals(text: str) -> float:
    """Return "3 intervals" as a number.

    Raises:
        RuleError: it is something else.
    """
    found = INTERVALS.fullmatch(text)
    if not found:
        message = f"{text!r} is not a number of intervals such as 3 intervals"
        raise RuleError(message, suggestion=meant(text, ["intervals"]))
    if len(found[1]) > 9:
        raise RuleError(f"{text[:20]!r} is more than anybody waits for")
    return float(found[1])


def meant(text: str, others: Iterable[str] = ()) -> str | None:
    """Return what a number with a wrong word after it was probably meant to be: "2 redings", "5 minutes"."""
    found = _COUNTED.fullmatch(text.strip())
    if not found:
        return None
    number, word = found[1], found[2].lower()
    if word in ("week", "weeks", "w"):
        return f"{float(number) * 7:g}d"
    unit = word if word in _UNITS else _WORDS.get(word)
    if unit is not None:
        return f"{number}{unit}"
    near = closest(word, [*others, *_WORDS])
    return None if near is None else f"{number}{_WORDS[near]}" if near in _WORDS else f"{number} {near}"
