"""When a rule looks: its `when` against local time, days of the week, the sun and maintenance.

Pure, and the only place that judges a gate: stream rules, sweeps, backtests and explanations ask here. A part
that cannot be decided, such as the sun where no coordinates are known, leaves the gate undecided, and a rule
whose gate is undecided does not look. The gate's condition on measurements is `language.program`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rules.context import truth
from rules.context.sun import HORIZON_DEG
from rules.context.truth import Truth
from rules.definition.definition import Gate


class GatePart(StrEnum):
    """A part of `when` that needs no measurement."""

    LOCAL_TIME = "local_time"
    DAYS = "days"
    SUN = "sun"


class Surroundings(Protocol):
    """Local time, calendar and sun at n rows; see rules.context.local_time."""

    def __len__(self) -> int: ...
    def local_min(self) -> NDArray[np.int64]: ...
    def weekend(self) -> NDArray[np.bool_]: ...
    def sun_deg(self) -> NDArray[np.float64]: ...


def judge_parts(gate: Gate, surroundings: Surroundings) -> Mapping[GatePart, Truth]:
    """Return the truth of each part that a gate has, (n,) each."""
    parts: dict[GatePart, Truth] = {}
    start, end = gate.local_from_min, gate.local_to_min
    if start is not None and end is not None:
        parts[GatePart.LOCAL_TIME] = _is_between(surroundings.local_min(), start, end).astype(np.float64)
    if gate.days is not None:
        parts[GatePart.DAYS] = (surroundings.weekend() == (gate.days == "weekend")).astype(np.float64)
    if gate.sun is not None:
        elevation = surroundings.sun_deg()
        is_day = elevation >= HORIZON_DEG
        parts[GatePart.SUN] = truth.decided(is_day == (gate.sun == "day"), np.isnan(elevation))
    return parts


def judge_gate(gate: Gate, surroundings: Surroundings) -> Truth:
    """Return whether the rule looks, (n,), its condition on measurements left out."""
    result = np.ones(len(surroundings))
    for part in judge_parts(gate, surroundings).values():
        result = truth.both(result, part)
    return result


def rests_in_maintenance(gate: Gate | None) -> bool:
    """Tell whether a rule leaves devices alone during maintenance windows."""
    return gate is None or gate.maintenance == "rest"


def _is_between(minute: NDArray[np.int64], start: int, end: int) -> NDArray[np.bool_]:
    """Tell which minutes after midnight lie in a span, which may pass midnight; its end is not included."""
    if start <= end:
        return (minute >= start) & (minute < end)
    return (minute >= start) | (minute < end)
