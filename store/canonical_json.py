"""Canonical JSON (RFC 8785): the same value is the same text everywhere, so that its hash is the same.

Keys are sorted by UTF-16 code units, nothing stands between tokens, numbers are written as JavaScript writes
them. Whole numbers of any size keep all their digits. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from json.encoder import encode_basestring
from types import NoneType
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
    write = _WRITERS.get(type(value))
    return write(value) if write else _other(value)


def _other(value: Any) -> str:
    """Return the text of what is not of a plain type itself."""
    match value:
        case Enum():
            return canonical(value.value)
        case str():
            return encode_basestring(value)
        case int():
            return str(int(value))
        case float():
            return _number(value)
        case Mapping():
            return _object(value)
        case datetime():
            return _instant(value)
        case date() | UUID():
            return f'"{value}"'
        case timedelta():
            return _number(value.total_seconds())
        case bytes():
            return f'"{value.hex()}"'
        case Sequence():
            return _list(value)
        case set() | frozenset():
            return f"[{','.join(sorted(map(canonical, value)))}]"
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def _object(value: Mapping[Any, Any]) -> str:
    texts = {str(name): inner for name, inner in value.items()}
    names = sorted(texts) if "".join(texts).isascii() else sorted(texts, key=_utf16)
    return "{" + ",".join([f"{encode_basestring(name)}:{canonical(texts[name])}" for name in names]) + "}"


def _instant(value: datetime) -> str:
    return f'"{value.astimezone(UTC).isoformat(timespec="microseconds")[:-6]}Z"'


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _list(value: Iterable[Any]) -> str:
    return "[" + ",".join([canonical(inner) for inner in value]) + "]"


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


_WRITERS: Mapping[type, Callable[[Any], str]] = {
    NoneType: lambda _: "null",
    bool: lambda value: "true" if value else "false",
    str: encode_basestring,
    int: str,
    float: _number,
    dict: _object,
    list: _list,
    tuple: _list,
    datetime: _instant,
    date: lambda value: f'"{value}"',
}
"""By type: an import writes a hundred thousand rows."""
