"""How the telling of one alert goes on: what an event changes, what it waits for, which step is next. Pure.

Instants are microseconds since 1970-01-01Z on our clock. Must not know tables, nor who receivers are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from alerts.events import AlertEvent, EventType
from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.time_zones import zone_named
from notify.facts import AlertFacts, NotificationPlan
from notify.message import Occasion
from notify.routing.local_clock import LocalSpan, free_at

LATE_US = 300_000_000
"""What is older when it is told says how late it is, and waits until its device has caught up."""
QUIET_US = 60_000_000
"""A device that has sent nothing for so long has caught up."""
LOOK_AGAIN_US = 5_000_000
"""How often we look whether a device has caught up."""
SILENCED_US = 300_000_000
"""How often we look whether a silence still covers an alert; that one was ended early is seen by itself."""
NOBODY_US = 60_000_000
"""How often we look whether the last step reaches somebody now."""


class EscalationState(StrEnum):
    """Where the telling of an alert is."""

    WAITING = "waiting"
    """The occasion has not been told yet."""
    TELLING = "telling"
    ACKNOWLEDGED = "acknowledged"
    ENDING = "ending"
    """The alert is over, and those who were told its beginning have not been told so."""
    ENDED = "ended"


class EscalationReason(StrEnum):
    """Why nobody is told at present."""

    SETTLING = "settling"
    """An alert that explains it may still open."""
    INHIBITED = "inhibited"
    SILENCED = "silenced"
    BACKLOG = "backlog"
    """It is old, and its device is still sending what happened since."""
    NO_ROUTE = "no-route"
    NOBODY = "nobody"
    """The route's last step reaches nobody: nobody is on call, or who is has no address that we can use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """The telling of one alert.

    occasion: what is said next. severity: the highest so far. step: of the plan, the next one; next_at: when,
    None where nothing is due. began_at: observed instant of what is told.
    """

    alert: int
    state: EscalationState
    occasion: Occasion
    severity: Severity
    began_at: int
    plan: NotificationPlan | None = None
    step: int = 0
    next_at: int | None = None
    waits_for: EscalationReason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertStanding:
    """How an alert stands at the moment, as far as telling depends on it.

    assigned: somebody has it in hand. newest_observed, newest_received: of its device's newest reading,
    None where there is none. silenced_until: None where no silence applies.
    """

    facts: AlertFacts
    firing: bool
    acknowledged: bool
    assigned: bool
    inhibited: bool
    held_until: int | None
    newest_observed: int | None
    newest_received: int | None
    silenced_until: int | None = None


def followed(escalation: Escalation | None, event: AlertEvent, now: int) -> Escalation | None:
    """Return what an event makes of the telling of its alert; None: the alert is not told."""
    if escalation is None:
        opens = event.type in (EventType.OPENED, EventType.SEVERITY)
        return _begun(event, now) if opens else None
    if escalation.state in (EscalationState.ENDING, EscalationState.ENDED):
        return escalation
    match event.type:
        case EventType.RESOLVED:
            return replace(escalation, state=EscalationState.ENDING, next_at=now, waits_for=None)
        case EventType.SEVERITY if event.severity.rank > escalation.severity.rank:
            return _worse(escalation, event, now)
        case EventType.ACKNOWLEDGED | EventType.ASSIGNED:
            return acknowledged(escalation)
        case EventType.UNACKNOWLEDGED | EventType.LAPSED | EventType.UNASSIGNED:
            return _resumed(escalation, now)
        case EventType.DECLINED if _has_next_step(escalation):
            return replace(escalation, next_at=_free(escalation, now))
        case EventType.SURFACED if escalation.waits_for is EscalationReason.INHIBITED:
            return replace(escalation, next_at=now)
        case _:
            return escalation


def _has_next_step(escalation: Escalation) -> bool:
    """Tell whether another step may follow at once; the last again would tell whoever just declined."""
    if escalation.state is not EscalationState.TELLING or escalation.plan is None:
        return False
    return escalation.step < len(escalation.plan.steps)


def _begun(event: AlertEvent, now: int) -> Escalation:
    return Escalation(
        alert=event.alert_id,
        state=EscalationState.WAITING,
        occasion=Occasion.OPENED,
        severity=event.severity,
        began_at=to_microseconds(event.observed_at or event.at),
        next_at=now,
    )


def _worse(escalation: Escalation, event: AlertEvent, now: int) -> Escalation:
    """Tell it anew by the route of the new severity; where the beginning is still due, that is told."""
    if escalation.plan is None and escalation.state is not EscalationState.ACKNOWLEDGED:
        due = escalation.next_at if escalation.waits_for is not EscalationReason.NO_ROUTE else now
        return replace(escalation, severity=event.severity, next_at=due)
    began = to_microseconds(event.observed_at or event.at)
    return replace(
        escalation,
        state=EscalationState.WAITING,
        occasion=Occasion.WORSE,
        severity=event.severity,
        began_at=began,
        plan=None,
        step=0,
        next_at=now,
        waits_for=None,
    )


def in_hand(escalation: Escalation, standing: AlertStanding) -> bool:
    """Tell whether somebody has the alert in hand; whoever it is assigned to learns that it is worse."""
    return standing.acknowledged or (standing.assigned and escalation.occasion is not Occasion.WORSE)


def acknowledged(escalation: Escalation) -> Escalation:
    """Return an escalation that somebody stopped."""
    return replace(escalation, state=EscalationState.ACKNOWLEDGED, next_at=None, waits_for=None)


def _resumed(escalation: Escalation, now: int) -> Escalation:
    """Go on after an acknowledgement: whoever was told last is told again."""
    if escalation.state is not EscalationState.ACKNOWLEDGED:
        return escalation
    if escalation.step == 0:
        return replace(escalation, state=EscalationState.WAITING, next_at=now)
    again = replace(escalation, state=EscalationState.TELLING, occasion=Occasion.REMINDER)
    return replace(again, step=escalation.step - 1, next_at=_free(escalation, now))


def _free(escalation: Escalation, at: int) -> int:
    """Return the first instant from one on that the quiet hours of its route leave free."""
    plan = escalation.plan
    if plan is None or not plan.quiet_hours:
        return at
    spans = [LocalSpan(start_min=a, end_min=b, days=frozenset(days)) for a, b, days in plan.quiet_hours]
    return free_at(at, spans, zone_named(plan.time_zone))


def waiting(escalation: Escalation, standing: AlertStanding, now: int) -> Escalation | None:
    """Return the escalation as it waits for something; None: it is told now."""
    reason, until = _waits_for(escalation, standing, now)
    return None if reason is None else replace(escalation, waits_for=reason, next_at=until)


def _waits_for(
    escalation: Escalation, standing: AlertStanding, now: int
) -> tuple[EscalationReason | None, int | None]:
    if standing.inhibited:
        return EscalationReason.INHIBITED, None
    unsaid = escalation.state is EscalationState.WAITING
    if unsaid and standing.held_until is not None and standing.held_until > now:
        return EscalationReason.SETTLING, standing.held_until
    if standing.silenced_until is not None and standing.silenced_until > now:
        return EscalationReason.SILENCED, min(standing.silenced_until, now + SILENCED_US)
    if unsaid and now - escalation.began_at > LATE_US and not _caught_up(standing, now):
        return EscalationReason.BACKLOG, now + LOOK_AGAIN_US
    return None, None


def _caught_up(standing: AlertStanding, now: int) -> bool:
    if standing.newest_observed is None or standing.newest_received is None:
        return True
    return now - standing.newest_observed < LATE_US or now - standing.newest_received >= QUIET_US


def unrouted(escalation: Escalation) -> Escalation:
    """Return an escalation whose alert no route tells anybody."""
    return replace(escalation, waits_for=EscalationReason.NO_ROUTE, next_at=None)


def planned(escalation: Escalation, plan: NotificationPlan, now: int) -> Escalation:
    """Return an escalation with its plan; the first step is due at once unless the plan says otherwise."""
    return replace(
        escalation, plan=plan, step=0, next_at=now + round(plan.steps[0].after_s * 1e6), waits_for=None
    )


def told(escalation: Escalation, now: int) -> Escalation:
    """Return an escalation whose step was told, with what is due next: another step, or the last again.

    Counted from when it really was told: after an outage of ours nobody is passed over.
    """
    assert escalation.plan is not None
    steps, step = escalation.plan.steps, min(escalation.step, len(escalation.plan.steps) - 1)
    if step + 1 < len(steps):
        wait_s: float | None = max(steps[step + 1].after_s - steps[step].after_s, 0.0)
    else:
        wait_s = escalation.plan.repeat_s
    return replace(
        escalation,
        state=EscalationState.TELLING,
        occasion=Occasion.REMINDER,
        step=step + 1,
        next_at=None if wait_s is None else _free(escalation, now + round(wait_s * 1e6)),
        waits_for=None,
    )


def counted_from(escalation: Escalation, first_due: int, now: int) -> Escalation:
    """Return an escalation whose next step counts from when the first message of the last one is due.

    It may be later than `now`, when it was planned: in a digest, or after quiet hours.
    """
    if escalation.state is not EscalationState.TELLING or escalation.next_at is None:
        return escalation
    return replace(escalation, next_at=_free(escalation, escalation.next_at + max(first_due - now, 0)))


def passed_over(escalation: Escalation, now: int) -> Escalation:
    """Return an escalation whose step reaches nobody: the next is due at once, the last is tried again."""
    assert escalation.plan is not None
    if escalation.step + 1 < len(escalation.plan.steps):
        return replace(escalation, step=escalation.step + 1, next_at=now, waits_for=None)
    return replace(escalation, next_at=now + NOBODY_US, waits_for=EscalationReason.NOBODY)


def receivers_of(escalation: Escalation) -> tuple[str, ...]:
    """Return whom the next step tells; after the last step those of the last."""
    assert escalation.plan is not None
    steps = escalation.plan.steps
    return steps[min(escalation.step, len(steps) - 1)].receivers


def ended(escalation: Escalation) -> Escalation:
    """Return an escalation of which nothing is left to say."""
    return replace(escalation, state=EscalationState.ENDED, next_at=None, waits_for=None)
