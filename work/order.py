"""What a work order is, and which step may follow which. Pure.

Must not know tables, nor who may take a step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from alerts.transition import Severity


class WorkState(StrEnum):
    """How far the work is."""

    OPEN = "open"
    """Nobody's."""
    ASSIGNED = "assigned"
    """To a technician or a team that has not accepted it."""
    ACCEPTED = "accepted"
    ON_THE_WAY = "on-the-way"
    IN_PROGRESS = "in-progress"
    """Somebody is there."""
    DONE = "done"
    CANCELLED = "cancelled"


class WorkOrigin(StrEnum):
    """What an order was made from."""

    ALERT = "alert"
    """By a person, from an alert."""
    PERSON = "person"
    """By a person, from what they saw or were told."""
    RULE = "rule"
    """From an alert, because its rule asks for work."""
    PLAN = "plan"
    """By a preventive plan."""


class Verification(StrEnum):
    """Whether readings show that the work helped."""

    WAITING = "waiting"
    VERIFIED = "verified"
    FAILED = "failed"
    """The condition went on: the order was reopened."""


OPEN_STATES = tuple(state for state in WorkState if state not in (WorkState.DONE, WorkState.CANCELLED))

_S = WorkState
FOLLOWING: Mapping[WorkState, frozenset[WorkState]] = {
    _S.OPEN: frozenset({_S.ASSIGNED, _S.ACCEPTED, _S.CANCELLED}),
    _S.ASSIGNED: frozenset({_S.OPEN, _S.ASSIGNED, _S.ACCEPTED, _S.CANCELLED}),
    _S.ACCEPTED: frozenset({_S.OPEN, _S.ASSIGNED, _S.ON_THE_WAY, _S.IN_PROGRESS, _S.DONE, _S.CANCELLED}),
    _S.ON_THE_WAY: frozenset({_S.OPEN, _S.ASSIGNED, _S.ACCEPTED, _S.IN_PROGRESS, _S.DONE, _S.CANCELLED}),
    _S.IN_PROGRESS: frozenset({_S.OPEN, _S.ASSIGNED, _S.DONE, _S.CANCELLED}),
    _S.DONE: frozenset({_S.ASSIGNED, _S.OPEN}),
    _S.CANCELLED: frozenset(),
}
"""What may follow; a done order is reopened as assigned to whom it was, or as open."""


def may_follow(state: WorkState, before: WorkState) -> bool:
    """Tell whether an order may come into a state from the one before."""
    return state in FOLLOWING[before]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """A work order as people read it. Names, not numbers; instants UTC.

    title: empty where the alerts say what is to be done. alerts: numbers, the first first. district: code of
    that in which the device stands. response_due_at, repair_due_at: None: no deadline. ended_at: done or
    cancelled, the last time. reopened: how often. version: increased with every change of the work. earlier:
    orders of the device in the 90 days before it. device_title to street_title: where it stands now. summary:
    what its first alert says, by language; empty where it has none.
    """

    id: int
    municipality: str
    device: str
    kind: str
    district: str | None
    origin: WorkOrigin
    rule: str | None
    severity: Severity
    title: str
    state: WorkState
    assignee: str | None
    team: str | None
    author: str
    alerts: Sequence[int]
    created_at: datetime
    response_due_at: datetime | None
    repair_due_at: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    reopened: int
    verification: Verification | None
    verify_until: datetime | None
    verified_at: datetime | None
    version: int
    earlier: int = 0
    device_title: str = ""
    device_titles: Mapping[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    district_title: Mapping[str, str] = field(default_factory=dict)
    street_title: Mapping[str, str] = field(default_factory=dict)
    summary: Mapping[str, str] = field(default_factory=dict)
