"""What no JSON value may hold that people or programs send us, told with its place. Pure.

What devices send is judged elsewhere (devices.wire, devices.storable): it is replaced rather than refused.
"""

from __future__ import annotations

import math
from typing import Any, TypeGuard

from devices.nesting import MAX_DEPTH

LARGEST_INT = 2**63 - 1
DIRECTING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that embed or override a direction: what follows them on a page reads as something else.

The marks U+200E and U+200F, which Arabic needs, do not.
"""


def undirected(text: str) -> str:
    """Return a text without those."""
    return text if DIRECTING.isdisjoint(text) else "".join(c for c in text if c not in DIRECTING)


def fault(value: Any) -> tuple[str, str] | None:
    """Return the JSON pointer and the reason of the first part that cannot be taken, None where all can.

    A text holds no NUL and no lone surrogate, which PostgreSQL cannot keep; a number is finite and an integer
    has 64 bits; nothing nests deeper than MAX_DEPTH.
    """
    waiting: list[tuple[str, Any, int]] = [("", value, 1)]
    while waiting:
        pointer, part, level = waiting.pop()
        if (reason := _reason(part, level)) is not None:
            return pointer, reason
        if isinstance(part, dict):
            for name, member in part.items():
                if (reason := _reason(name, level)) is not None:
                    return pointer, f"a name in it: {reason}"
                waiting.append((f"{pointer}/{name}", member, level + 1))
        elif isinstance(part, list):
            waiting += [(f"{pointer}/{i}", item, level + 1) for i, item in enumerate(part)]
    return None


def is_number(value: object) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number, of a size that floating point has; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _reason(part: Any, level: int) -> str | None:
    match part:
        case bool() | None:
            return None
        case str() if "\x00" in part:
            return "text may not contain the character NUL"
        case str() if not _is_unicode(part):
            return "text may not contain half a character (a lone surrogate)"
        case int() if abs(part) > LARGEST_INT:
            return "the number has more than 64 bits"
        case float() if not math.isfinite(part):
            return "the number is not finite"
        case dict() | list() if level > MAX_DEPTH:
            return f"it nests deeper than {MAX_DEPTH} levels"
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
