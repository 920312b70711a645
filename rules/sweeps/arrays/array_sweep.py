"""What a sweep rule over arrays is to whoever replays it, and the transitions it makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from alerts.transition import ConditionState, Severity, Transition
from rules.language.program import Rule
from rules.sweeps.arrays.received import Ints, PendingReadings, ReceivedReadings

AGAIN_US = 60_000_000
"""A sweep that finds something on a device it must leave alone looks again after so long."""


class ArraySweep(Protocol):
    """One sweep rule over some devices of one kind.

    device_id: of those whose readings it takes; `ReceivedReadings.device` counts in this order. measurements:
    what it reads of them.
    """

    device_id: Ints
    measurements: frozenset[str]

    def next_at(self, pending: PendingReadings) -> int:
        """Return the next instant (microseconds) at which it may find something; never too late.

        Args:
            pending: what was received and not taken yet.
        """

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings that had been received when it looks next."""

    def judge(self, at: int) -> Iterator[Transition]:
        """Yield the alerts that end and that open at an instant (microseconds)."""


def opened(rule: Rule, device_id: int, severity: Severity, observed_at: int, received_at: int) -> Transition:
    """Return the beginning of an alert; instants in microseconds."""
    return Transition(
        rule=rule.id,
        version=rule.version,
        device_id=device_id,
        from_state=ConditionState.PENDING,
        to_state=ConditionState.FIRING,
        severity=severity,
        observed_at=observed_at,
        received_at=received_at,
    )


def resolved(
    rule: Rule, device_id: int, severity: Severity, observed_at: int, received_at: int
) -> Transition:
    """Return the end of an alert; instants in microseconds."""
    return Transition(
        rule=rule.id,
        version=rule.version,
        device_id=device_id,
        from_state=ConditionState.FIRING,
        to_state=ConditionState.RESOLVED,
        severity=severity,
        observed_at=observed_at,
        received_at=received_at,
    )
