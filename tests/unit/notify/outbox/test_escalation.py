"""How the telling of one alert goes on."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime

import msgspec
import pytest

from alerts.events import AlertEvent, EventType
from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from notify.facts import AlertFacts, EscalationStep, NotificationPlan
from notify.message import Occasion
from notify.outbox.escalation import (
    LATE_US,
    QUIET_US,
    AlertStanding,
    Escalation,
    EscalationReason,
    EscalationState,
    acknowledged,
    counted_from,
    followed,
    in_hand,
    passed_over,
    planned,
    receivers_of,
    told,
    waiting,
)

NOW = 1_800_000_000_000_000
S = 1_000_000
PLAN = NotificationPlan(
    route="lights",
    steps=(
        EscalationStep(after_s=0, receivers=("on-call:lights",)),
        EscalationStep(after_s=300, receivers=("person:chief",)),
        EscalationStep(after_s=900, receivers=("person:mayor",)),
    ),
    repeat_s=600,
    group_for_s=30,
)
FACTS = AlertFacts(
    municipality="tripoli", kind="light", severity=Severity.MAJOR, rule="dark", device="l-1", district="mina"
)
FREE = AlertStanding(
    facts=FACTS,
    firing=True,
    acknowledged=False,
    assigned=False,
    inhibited=False,
    held_until=None,
    newest_observed=NOW,
    newest_received=NOW,
)


def event(what: EventType, at: int = NOW, severity: Severity = Severity.MAJOR) -> AlertEvent:
    """Return an event of alert 7."""
    transition = what in (EventType.OPENED, EventType.SEVERITY, EventType.RESOLVED)
    return AlertEvent(
        xid=1,
        id=1,
        alert_id=7,
        type=what,
        at=to_datetime(at),
        rule="dark",
        device="l-1",
        kind="light",
        municipality="tripoli",
        severity=severity,
        summary={},
        observed_at=to_datetime(at) if transition else None,
        received_at=to_datetime(at) if transition else None,
        evidence={} if transition else None,
        author=None,
        body=None,
    )


def after(*events: AlertEvent, before: Escalation | None = None) -> Escalation:
    """Return what events make of an escalation."""
    for one in events:
        before = followed(before, one, NOW)
    assert before is not None
    return before


def running(step: int = 1) -> Escalation:
    """Return an escalation whose steps before `step` were told."""
    escalation = planned(after(event(EventType.OPENED)), PLAN, NOW)
    for _ in range(step):
        escalation = told(escalation, NOW)
    return escalation


def test_an_alert_that_opens_is_due_at_once() -> None:
    escalation = after(event(EventType.OPENED))

    assert (escalation.state, escalation.occasion, escalation.next_at) == ("waiting", "opened", NOW)


@pytest.mark.parametrize("what", [EventType.RESOLVED, EventType.ACKNOWLEDGED, EventType.COMMENT])
def test_an_alert_from_before_us_is_not_told_by_what_people_do_or_by_its_end(what: EventType) -> None:
    assert followed(None, event(what), NOW) is None


def test_steps_follow_each_other_and_the_last_is_repeated() -> None:
    first = planned(after(event(EventType.OPENED)), PLAN, NOW)
    assert (receivers_of(first), first.next_at) == (("on-call:lights",), NOW)

    second = told(first, NOW)
    assert (receivers_of(second), second.next_at) == (("person:chief",), NOW + 300 * S)
    assert second.occasion is Occasion.REMINDER

    third = told(second, NOW + 300 * S)
    assert (receivers_of(third), third.next_at) == (("person:mayor",), NOW + 900 * S)

    again = told(third, NOW + 900 * S)
    assert (receivers_of(again), again.next_at) == (("person:mayor",), NOW + 1500 * S)


def test_after_an_outage_of_ours_the_next_step_waits_its_time_from_when_the_last_was_told() -> None:
    late = told(running(1), NOW + 3600 * S)

    assert late.next_at == NOW + (3600 + 600) * S


def test_the_next_step_counts_from_the_message_that_waits_for_a_digest_or_quiet_hours() -> None:
    first = running(1)

    assert counted_from(first, NOW + 3600 * S, NOW).next_at == NOW + (3600 + 300) * S
    assert counted_from(first, NOW, NOW) == first
    over = after(event(EventType.RESOLVED), before=first)
    assert counted_from(over, NOW + 3600 * S, NOW) == over


def test_without_repeat_nothing_is_due_after_the_last_step() -> None:
    once = replace(PLAN, repeat_s=None, steps=PLAN.steps[:1])

    assert told(planned(after(event(EventType.OPENED)), once, NOW), NOW).next_at is None


def test_a_step_that_reaches_nobody_passes_the_alert_on_at_once_still_as_opened() -> None:
    second = passed_over(planned(after(event(EventType.OPENED)), PLAN, NOW), NOW)

    assert (receivers_of(second), second.next_at, second.occasion) == (("person:chief",), NOW, "opened")
    assert told(second, NOW).next_at == NOW + 600 * S


def test_where_the_last_step_reaches_nobody_it_says_so_and_looks_again() -> None:
    for last in (running(2), running(3)):
        nobody = passed_over(last, NOW)

        assert (nobody.waits_for, nobody.next_at) == (EscalationReason.NOBODY, NOW + 60 * S)
        assert receivers_of(nobody) == ("person:mayor",)


def test_a_first_step_may_wait() -> None:
    later = replace(PLAN, steps=(EscalationStep(after_s=60, receivers=()),))

    assert planned(after(event(EventType.OPENED)), later, NOW).next_at == NOW + 60 * S


def test_acknowledged_stops_and_taken_back_tells_the_last_step_again() -> None:
    stopped = after(event(EventType.ACKNOWLEDGED), before=running(2))
    assert (stopped.state, stopped.next_at) == ("acknowledged", None)

    for what in (EventType.UNACKNOWLEDGED, EventType.LAPSED):
        resumed = after(event(what), before=stopped)
        assert (resumed.state, resumed.next_at) == ("telling", NOW)
        assert (resumed.occasion, receivers_of(resumed)) == ("reminder", ("person:chief",))


def test_who_cannot_come_passes_it_on_to_the_next_at_once() -> None:
    assert after(event(EventType.DECLINED), before=running(1)).next_at == NOW
    waits = after(event(EventType.OPENED))
    assert after(event(EventType.DECLINED), before=waits) == waits


def test_who_cannot_come_is_not_told_again_at_once_where_no_step_is_left() -> None:
    last = running(3)

    assert after(event(EventType.DECLINED), before=last) == last


def test_assigned_stops_like_acknowledged_but_not_that_it_is_worse() -> None:
    stopped = after(event(EventType.ASSIGNED), before=running(1))
    assert (stopped.state, stopped.next_at) == ("acknowledged", None)
    assert after(event(EventType.UNASSIGNED), before=stopped).next_at == NOW

    assigned = replace(FREE, assigned=True)
    assert in_hand(running(1), assigned)
    worse = after(event(EventType.SEVERITY, severity=Severity.CRITICAL), before=stopped)
    assert not in_hand(worse, assigned)
    assert in_hand(worse, replace(assigned, acknowledged=True))


def test_acknowledged_before_anybody_was_told_begins_anew_when_taken_back() -> None:
    resumed = after(*map(event, (EventType.OPENED, EventType.ACKNOWLEDGED, EventType.UNACKNOWLEDGED)))

    assert (resumed.state, resumed.occasion, resumed.next_at) == ("waiting", "opened", NOW)


def test_worse_is_told_anew_by_its_own_route_even_when_acknowledged() -> None:
    stopped = after(event(EventType.ACKNOWLEDGED), before=running(2))

    worse = after(event(EventType.SEVERITY, severity=Severity.CRITICAL), before=stopped)

    assert (worse.state, worse.occasion, worse.next_at, worse.step) == ("waiting", "worse", NOW, 0)
    assert (worse.plan, worse.severity) == (None, Severity.CRITICAL)


@pytest.mark.parametrize("severity", [Severity.MINOR, Severity.MAJOR])
def test_less_severe_changes_nothing_nor_does_the_same_again(severity: Severity) -> None:
    escalation = running(1)

    assert after(event(EventType.SEVERITY, severity=severity), before=escalation) == escalation


def test_worse_before_anybody_was_told_is_told_as_the_beginning() -> None:
    held = replace(after(event(EventType.OPENED)), waits_for=EscalationReason.SETTLING, next_at=NOW + 60 * S)

    worse = after(event(EventType.SEVERITY, severity=Severity.CRITICAL), before=held)

    assert (worse.occasion, worse.severity, worse.next_at) == ("opened", Severity.CRITICAL, NOW + 60 * S)


@pytest.mark.parametrize("what", [EventType.ASSIGNED, EventType.ACKNOWLEDGED])
def test_worse_is_told_where_somebody_took_it_before_anybody_was_told(what: EventType) -> None:
    stopped = after(event(EventType.OPENED), event(what))

    worse = after(event(EventType.SEVERITY, severity=Severity.CRITICAL), before=stopped)

    assert (worse.state, worse.occasion, worse.next_at) == ("waiting", "worse", NOW)
    assert not in_hand(worse, replace(FREE, assigned=True))


def test_worse_is_asked_anew_where_no_route_told_anybody() -> None:
    nobody = replace(after(event(EventType.OPENED)), waits_for=EscalationReason.NO_ROUTE, next_at=None)

    assert after(event(EventType.SEVERITY, severity=Severity.CRITICAL), before=nobody).next_at == NOW


def test_the_end_is_due_at_once_and_nothing_follows_it() -> None:
    over = after(event(EventType.RESOLVED), before=running(1))
    assert (over.state, over.next_at) == ("ending", NOW)

    assert after(event(EventType.UNACKNOWLEDGED), event(EventType.RESOLVED), before=over) == over
    gone = replace(over, state=EscalationState.ENDED, next_at=None)
    assert after(event(EventType.RESOLVED), before=gone) == gone


def test_what_a_parent_may_explain_waits_until_it_has_settled() -> None:
    escalation = after(event(EventType.OPENED))
    held = replace(FREE, held_until=NOW + 90 * S)

    waits = waiting(escalation, held, NOW)

    assert waits is not None
    assert (waits.waits_for, waits.next_at) == (EscalationReason.SETTLING, NOW + 90 * S)
    assert waiting(waits, held, NOW + 90 * S) is None


def test_what_is_told_already_does_not_wait_for_a_parent_that_may_open() -> None:
    assert waiting(running(1), replace(FREE, held_until=NOW + 90 * S), NOW) is None


def test_inhibited_waits_until_it_surfaces_and_an_escalation_too() -> None:
    inhibited = replace(FREE, inhibited=True)
    for escalation in (after(event(EventType.OPENED)), running(1)):
        waits = waiting(escalation, inhibited, NOW)
        assert waits is not None
        assert (waits.waits_for, waits.next_at) == (EscalationReason.INHIBITED, None)
        assert after(event(EventType.SURFACED), before=waits).next_at == NOW


def test_surfacing_does_not_hurry_what_does_not_wait_for_it() -> None:
    escalation = running(1)

    assert after(event(EventType.SURFACED), before=escalation) == escalation


def test_silenced_waits_for_the_end_and_looks_whether_it_is_still_covered() -> None:
    escalation = after(event(EventType.OPENED))

    long = waiting(escalation, replace(FREE, silenced_until=NOW + 3600 * S), NOW)
    short = waiting(escalation, replace(FREE, silenced_until=NOW + 2 * S), NOW)

    assert long is not None
    assert short is not None
    assert (long.waits_for, long.next_at) == (EscalationReason.SILENCED, NOW + 300 * S)
    assert short.next_at == NOW + 2 * S
    assert waiting(escalation, replace(FREE, silenced_until=NOW), NOW) is None


def test_a_backlog_waits_until_its_device_has_caught_up() -> None:
    old = after(event(EventType.OPENED, at=NOW - LATE_US - S))
    behind = replace(FREE, newest_observed=NOW - LATE_US, newest_received=NOW - QUIET_US + S)

    waits = waiting(old, behind, NOW)

    assert waits is not None
    assert (waits.waits_for, waits.next_at) == (EscalationReason.BACKLOG, NOW + 5 * S)
    assert waiting(old, replace(behind, newest_observed=NOW - LATE_US + S), NOW) is None, "caught up"
    assert waiting(old, replace(behind, newest_received=NOW - QUIET_US), NOW) is None, "quiet"
    assert waiting(old, replace(behind, newest_observed=None, newest_received=None), NOW) is None
    young = after(event(EventType.OPENED, at=NOW - LATE_US))
    assert waiting(young, behind, NOW) is None


def test_repeats_and_what_is_told_anew_wait_for_the_end_of_the_routes_quiet_hours() -> None:
    night = (22 * 60, 6 * 60, (1, 2, 3, 4, 5, 6, 7))
    late = to_microseconds(datetime(2026, 11, 30, 19, 55, tzinfo=UTC))  # 21:55 in Beirut
    morning = to_microseconds(datetime(2026, 12, 1, 4, tzinfo=UTC))
    plan = replace(PLAN, steps=PLAN.steps[:1], quiet_hours=(night,), time_zone="Asia/Beirut")
    began = followed(None, event(EventType.OPENED), late)
    assert began is not None

    once = told(planned(began, plan, late), late)
    resumed = followed(acknowledged(once), event(EventType.LAPSED), late + 600 * S)

    assert once.next_at == morning
    assert counted_from(replace(once, next_at=late), late + 600 * S, late).next_at == morning
    assert resumed is not None
    assert resumed.next_at == morning
    assert msgspec.convert(msgspec.to_builtins(asdict(plan)), NotificationPlan, strict=False) == plan
