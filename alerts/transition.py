"""Severities, and changes of a condition's state.

Pure data. Must not know how a change was found (rules) or where it is stored (record).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad an alert is; `rank` orders them."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"

    @property
    def rank(self) -> int:
        """0 for warning up to 3 for critical."""
        return _RANKS[self]


_RANKS = {Severity.WARNING: 0, Severity.MINOR: 1, Severity.MAJOR: 2, Severity.CRITICAL: 3}


class ConditionState(StrEnum):
    """The state of a condition. A change from firing to firing is a change of severity."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change of one rule's condition on one device.

    observed_at, received_at: microseconds since 1970-01-01Z of the reading that caused it.
    evidence: JSON values: what was measured, against which limits, since when.
    """

    rule: str
    version: int
    device_id: int
    from_state: ConditionState
    to_state: ConditionState
    severity: Severity
    observed_at: int
    received_at: int
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def opens(self) -> bool:
        """Tell whether an alert begins with it; with a change of severity none does."""
        return self.to_state is ConditionState.FIRING and self.from_state is not ConditionState.FIRING
