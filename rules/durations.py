"""Times as rule files write them: 90s, 10m, 1.5h, 2d. Pure."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}


def duration_us(text: str) -> int:
    """Return "90s", "10m", "1.5h" or "2d" in microseconds.

    Raises:
        ValueError: it is not a duration.
    """
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a duration such as 90s, 10m, 2h or 3d")
    return round(float(found[1]) * _UNITS[found[2]])
