"""Takes JSON apart that no parser accepts, so that one bad token spoils its element alone.

Brackets, commas and quotes are all it reads: what stands between them is judged by whoever asked. Pure.
"""

from __future__ import annotations

import json
import math
import re
from typing import Final

from devices.storable import storable, storable_json

_SPACE: Final = b" \t\r\n"
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{},:]', re.DOTALL)
_CLOSED_BY: Final = {b"[": b"]", b"{": b"}"}
_LONGEST_INTEGER: Final = 19
"""Digits and sign of an integer that has 64 bits for certain."""


def elements(text: bytes) -> list[bytes]:
    """Return what stands between the commas of an array.

    Raises:
        ValueError: no array, or one whose brackets do not match.
    """
    return [text[start:end].strip(_SPACE) for start, end, _ in _parts(text, b"[")]


def members(text: bytes) -> list[tuple[str, bytes]]:
    """Return the names and the raw values of an object; a name is as PostgreSQL can store it.

    Raises:
        ValueError: no object, one whose brackets do not match, or a name that is no text.
    """
    found: list[tuple[str, bytes]] = []
    for start, end, colon in _parts(text, b"{"):
        if colon < 0:
            if not text[start:end].strip(_SPACE) and not found:
                continue  # an empty object
            raise ValueError("a member of an object is a name, a colon and a value")
        name = json.loads(text[start:colon])
        if not isinstance(name, str):
            raise ValueError("a name is a text")  # noqa: TRY004 - the text is at fault
        found.append((storable(name), text[colon + 1 : end].strip(_SPACE)))
    return found


def _parts(text: bytes, opening: bytes) -> list[tuple[int, int, int]]:
    """Return start, end and first colon (-1 without) of each part of the outermost array or object."""
    if not text.strip(_SPACE).startswith(opening):
        raise ValueError("not an object" if opening == b"{" else "not an array")
    parts: list[tuple[int, int, int]] = []
    expected: list[bytes] = []
    start, colon = text.index(opening) + 1, -1
    for match in _TOKENS.finditer(text):
        token = match[0]
        if token in _CLOSED_BY:
            expected.append(_CLOSED_BY[token])
        elif token in (b"]", b"}"):
            if not expected or expected.pop() != token:
                raise ValueError(f"brackets do not match at byte {match.start()}")
            if not expected:
                if text[match.end() :].strip(_SPACE):
                    raise ValueError(f"more than one document, from byte {match.end()} on")
                return [*parts, (start, match.start(), colon)]
        elif len(expected) == 1 and token == b",":
            parts.append((start, match.start(), colon))
            start, colon = match.end(), -1
        elif len(expected) == 1 and token == b":" and colon < 0:
            colon = match.start()
    raise ValueError("not a whole JSON document")


def kept(value: bytes) -> object:
    """Return a raw value as jsonb can keep it and readers can parse it.

    NaN, infinity and numbers beyond a double or 64 bits become texts; U+0000 and lone surrogates are
    replaced.

    Raises:
        ValueError: it is no JSON even so.
    """
    return storable_json(json.loads(value, parse_int=_integer, parse_float=_number, parse_constant=str))


def is_no_value(value: bytes) -> bool:
    """Tell whether a raw value that no decoder takes is one token without a value, and not broken JSON."""
    try:
        return not isinstance(json.loads(value, parse_int=str, parse_float=str), dict | list)
    except ValueError:
        return False


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _LONGEST_INTEGER else digits


def _number(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits
