"""What every sweep rule does with what it found: alerts open once, and whatever began is also ended.

The open alert is the only memory of an incident, so a restart between beginning and end forgets nothing.
Must not know how a family finds anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime, to_microseconds
from rules.definition.summary import render
from rules.language.program import Rule
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepContext:
    """When a sweep looks, and since when ingest has been caught up (None: it is not, or seems dead).

    now: microseconds since 1970-01-01Z. alive_at: ingest's newest sign of life; None is `now`. resting: until
    when a rule leaves devices alone, by id, microseconds; those whose time is over but not long are in it.
    """

    now: int
    caught_up_at: datetime | None
    alive_at: datetime | None = None
    resting: Mapping[int, int] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        """`now` as a datetime."""
        return to_datetime(self.now)

    @property
    def received_until(self) -> int:
        """Up to when ingest would have received readings, microseconds: of what came later nobody knows yet.

        On a clock that runs fast a pause of ingest of some seconds is longer than a device's patience.
        """
        return self.now if self.alive_at is None else min(self.now, to_microseconds(self.alive_at))

    def rests(self, device_id: int, patience_us: int = 0) -> bool:
        """Tell whether the rule leaves a device alone, and for so long after."""
        until = self.resting.get(device_id)
        return until is not None and self.now < until + patience_us


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAlert:
    """A device on which a sweep rule begins to hold.

    observed_at, received_at: microseconds since 1970-01-01Z. names: what sentences call it.
    """

    device_id: int
    severity: Severity
    observed_at: int
    received_at: int
    evidence: Mapping[str, Any]
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedAlert:
    """A device on which a sweep rule no longer holds; `version` is the one that opened the alert."""

    device_id: int
    rule: str
    version: int
    severity: Severity
    observed_at: int
    received_at: int
    condition: str


async def begin(connection: Connection, rule: Rule, findings: Sequence[NewAlert], now: int) -> int:
    """Open alerts of one rule and return how many were not open yet."""
    if not findings:
        return 0
    found = {f.device_id: f for f in findings}
    transitions = [
        Transition(
            rule=rule.id,
            version=rule.version,
            device_id=f.device_id,
            from_state=ConditionState.PENDING,
            to_state=ConditionState.FIRING,
            severity=f.severity,
            observed_at=f.observed_at,
            received_at=f.received_at,
            evidence=f.evidence,
        )
        for f in found.values()
    ]

    def describe(transition: Transition) -> Mapping[str, str]:
        names = found[transition.device_id].names
        return render(rule.definition.summary, {**transition.evidence.get("values", {}), **names})

    async with connection.transaction():
        return await record(connection, transitions, describe, now)


async def end(connection: Connection, endings: Sequence[EndedAlert], now: int) -> int:
    """Resolve alerts of any rules and return how many were open."""
    if not endings:
        return 0
    transitions = [
        Transition(
            rule=e.rule,
            version=e.version,
            device_id=e.device_id,
            from_state=ConditionState.FIRING,
            to_state=ConditionState.RESOLVED,
            severity=e.severity,
            observed_at=e.observed_at,
            received_at=e.received_at,
            evidence={"condition": e.condition},
        )
        for e in endings
    ]
    async with connection.transaction():
        return await record(connection, transitions, lambda _: {}, now)
