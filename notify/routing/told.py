"""Who would be told of an alert, by which channel and when: what would be sent, as a list.

Pure. Assumes that nobody acknowledges and that it stays as severe as it is. Must not know how messages are
sent.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import datetime

from devices.instants import to_datetime
from notify.facts import AlertFacts, EscalationStep, NotificationPlan
from notify.routing.routing import Routing


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedContact:
    """One message that would be sent. channel and at: None where the person cannot be reached.

    receiver: as the route names it. person: None where it is nobody at that instant. after_s: since the alert
    was committed.
    """

    step: int
    receiver: str
    person: str | None
    display_name: str | None
    channel: str | None
    at: datetime | None
    after_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteAnswer:
    """What routes say of an alert at an instant."""

    facts: AlertFacts
    at: datetime
    plan: NotificationPlan
    told: tuple[PlannedContact, ...]

    def not_among(self, channels: Container[str]) -> tuple[str, ...]:
        """Return the channels that would be used and are none of these: nothing would be sent by them."""
        used = {one.channel for one in self.told if one.channel is not None}
        return tuple(sorted(channel for channel in used if channel not in channels))


def would_tell(routing: Routing, facts: AlertFacts, at: int) -> RouteAnswer:
    """Return who would be told, in the order of the steps, then of time.

    Args:
        at: when the alert is committed, microseconds since 1970-01-01Z.
    """
    plan = routing.plan(facts, at)
    told = [
        one
        for number, step in enumerate(plan.steps, start=1)
        for one in sorted(_step(routing, facts, at, number, step), key=lambda t: t.after_s or 0.0)
    ]
    return RouteAnswer(facts=facts, at=to_datetime(at), plan=plan, told=tuple(told))


def _step(
    routing: Routing, facts: AlertFacts, at: int, number: int, step: EscalationStep
) -> Iterator[PlannedContact]:
    begins = at + round(step.after_s * 1e6)
    seen: set[int] = set()
    for receiver in step.receivers:
        people = [p for p in routing.people([receiver], facts, begins) if p not in seen]
        seen.update(people)
        if not people:
            yield _nobody(number, receiver)
        for person in people:
            yield from _person(routing, facts, at, number, receiver, person, begins)


def _nobody(number: int, receiver: str, name: str | None = None, shown: str | None = None) -> PlannedContact:
    return PlannedContact(
        step=number, receiver=receiver, person=name, display_name=shown, channel=None, at=None, after_s=None
    )


def _person(
    routing: Routing, facts: AlertFacts, at: int, number: int, receiver: str, person: int, begins: int
) -> Iterator[PlannedContact]:
    found = routing.receivers[person]
    contacts = routing.contacts(person, facts.severity, begins)
    if not contacts:
        yield _nobody(number, receiver, found.name, found.display_name)
    for contact in contacts:
        instant = begins + round(contact.after_s * 1e6)
        yield PlannedContact(
            step=number,
            receiver=receiver,
            person=found.name,
            display_name=found.display_name,
            channel=contact.channel,
            at=to_datetime(instant),
            after_s=(instant - at) / 1e6,
        )
