"""Canonical JSON (RFC 8785): the same value is the same text everywhere, so that its hash is the same.

Keys are sorted by UTF-16 code units, nothing stands between tokens, numbers are written as JavaScript writes
them. Whole numbers of any size keep all their digits. Pure.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

BIGGEST_PLAIN = 1e21
"""Numbers from here on are written with an exponent, as are those below a millionth."""
SMALLEST_PLAIN = 1e-6


def canonical(value: Any) -> str:
    """Return the text of a value.

    Instants are RFC 3339 in UTC with microseconds, durations are seconds, ids and enumerations their text.

    Raises:
        ValueError: a number is not finite.
        TypeError: the value, or something in it, has no place in JSON.
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Enum():
            return canonical(value.value)
        case str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            return str(value)
        case float():
            return _number(value)
        case Mapping():
            return _object(value)
        case datetime():
            return f'"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"'
        case date() | UUID():
            return f'"{value}"'
        case timedelta():
            return _number(value.total_seconds())
        case bytes():
            return f'"{value.hex()}"'
        case Sequence():
            return f"[{','.join(map(canonical, value))}]"
        case set() | frozenset():
            return f"[{','.join(sorted(map(canonical, value)))}]"
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _object(value: Mapping[Any, Any]) -> str:
    names = sorted(map(str, value), key=lambda name: name.encode("utf-16-be"))
    return (
        "{"
        + ",".join(f"{json.dumps(name, ensure_ascii=False)}:{canonical(value[name])}" for name in names)
        + "}"
    )


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of JSON")
    if value == 0:
        return "0"
    shortest = repr(float(value))
    if SMALLEST_PLAIN <= abs(value) < BIGGEST_PLAIN:
        return f"{Decimal(shortest):f}".removesuffix(".0")
    mantissa, _, exponent = shortest.partition("e")
    return f"{mantissa}e{int(exponent):+d}"
