"""When a circuit has power by plan: what its attribute `supply` may say.

Pure. Must not know the sun or the clock; whoever judges absence does (rules.sweeps.core.supply).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SUPPLY = "supply"
"""Attribute of a circuit, a cabinet or a device: `night`, or hours of local time such as 18:00-06:00."""
NIGHT = "night"

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Power by night, or between two minutes after local midnight; the second is not included."""

    from_min: int | None = None
    to_min: int | None = None


def parse_supply(text: object) -> Supply | None:
    """Return what a value of the attribute says, None when it says nothing that is understood."""
    if text == NIGHT:
        return Supply()
    found = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    return Supply(from_min=start, to_min=end) if start != end else None
