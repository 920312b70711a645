"""One batch: events become escalations, escalations that are due become planned messages, in one transaction.

Nothing is sent here. Each statement serves the whole batch. Instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from uuid import UUID

from alerts.events import AlertEvent, EventType, events_after
from notify.facts import AlertFacts, Contact, NotificationPlan
from notify.message import Occasion
from notify.outbox import assigned_alerts, attempts, deliveries, escalation_rows, ownership
from notify.outbox.deliveries import DeliveryOfAlert
from notify.outbox.escalation import (
    LOOK_AGAIN_US,
    AlertStanding,
    Escalation,
    EscalationState,
    acknowledged,
    counted_from,
    ended,
    followed,
    in_hand,
    passed_over,
    planned,
    receivers_of,
    told,
    unrouted,
    waiting,
)
from notify.outbox.grouping import Telling, place
from notify.outbox.ownership import Leader
from notify.outbox.ports import RoutePlans, SilencedUntil
from notify.outbox.standings import replayed, standings
from store.connection import Connection

EVENTS, DUE = 500, 500
"""Most events, and most escalations, in one transaction."""
UNCERTAIN_US = 250_000
"""How soon we look again whether a message about an alert that has ended has arrived."""
SEEN_US = 1_000_000
"""How soon we see that somebody ended a silence."""
RETAINED = frozenset({"mqtt"})
"""Channels that keep what they were told until it ends, whatever the route says of ends."""
ENDED, ACKNOWLEDGED = "the alert ended before it was sent", "acknowledged before it was sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchParts:
    """What a batch is decided with."""

    routing: RoutePlans
    silenced: SilencedUntil
    new_id: Callable[[], UUID]


@dataclass(slots=True, kw_only=True)
class BatchResult:
    """What a batch did. more: the next one has work already."""

    events: int = 0
    planned: int = 0
    more: bool = False


async def advance(connection: Connection, leader: Leader, tools: BatchParts, now: int) -> BatchResult:
    """Read events after the cursor, and tell what is due.

    Raises:
        NotLeader: another process tells people now; nothing was written.
    """
    # Before the transaction has a number of its own, which would hide events that are younger.
    events = await events_after(connection, leader.cursor, EVENTS)
    cursor = events[-1].cursor if events else leader.cursor
    async with connection.transaction():
        await ownership.advance(connection, leader, cursor, now)
        await _follow(connection, events, now)
        given = await _tell_given(connection, events, tools, now)
        await _see_ended_silences(connection, leader, now)
        due = await escalation_rows.due(connection, now, DUE)
        made = await _tell(connection, due, tools, now) if due else 0
    leader.batch += 1
    leader.cursor = cursor
    return BatchResult(
        events=len(events), planned=made + given, more=len(events) == EVENTS or len(due) == DUE
    )


async def _follow(connection: Connection, events: Sequence[AlertEvent], now: int) -> None:
    if not events:
        return
    known = await escalation_rows.of_alerts(connection, {e.alert_id for e in events})
    untold = await replayed(connection, events)
    changed: dict[int, Escalation] = {}
    for event in events:
        before = changed.get(event.alert_id, known.get(event.alert_id))
        # A replay tells nobody of a beginning; the end of what was told is told.
        after = before if event.id in untold and event.type != "resolved" else followed(before, event, now)
        if after is not None and after != before:
            changed[event.alert_id] = after
    await escalation_rows.save(connection, list(changed.values()))
    stopped = [e.alert for e in changed.values() if e.state is EscalationState.ACKNOWLEDGED]
    await deliveries.drop(connection, stopped, ACKNOWLEDGED)


async def _tell_given(
    connection: Connection, events: Sequence[AlertEvent], tools: BatchParts, now: int
) -> int:
    """Tell people of alerts that somebody else gave to them, and return how many messages that is."""
    notes = [event.id for event in events if event.type is EventType.ASSIGNED]
    given = await assigned_alerts.still_given(connection, notes) if notes else {}
    stand = await standings(connection, list(given), tools.silenced, now) if given else {}
    tellings = [
        Telling(
            alert=alert,
            facts=stand[alert].facts,
            occasion=Occasion.ASSIGNED,
            contacts=contacts,
            group_for_s=0.0,
        )
        for alert, person in given.items()
        if alert in stand and (contacts := _of(person, stand[alert].facts, tools.routing, now))
    ]
    placed = place(tellings, {}, now, tools.new_id)
    await deliveries.insert(connection, placed, now)
    return len(placed.new)


def _of(name: str, facts: AlertFacts, routing: RoutePlans, now: int) -> list[Contact]:
    people = routing.people([f"person:{name}"], facts, now)
    return [contact for person in people for contact in routing.contacts(person, facts.severity, now)]


async def _see_ended_silences(connection: Connection, leader: Leader, now: int) -> None:
    if now - leader.looked_at < SEEN_US:
        return
    # What was committed while the last look was taken is seen by this one.
    if await escalation_rows.silence_ended(connection, leader.looked_at - 5 * SEEN_US):
        await escalation_rows.look_again(connection, now)
        await attempts.look_again(connection, now)
    leader.looked_at = now


@dataclass(slots=True, kw_only=True)
class _Progress:
    """What advancing escalations gathers."""

    changed: list[Escalation] = field(default_factory=list)
    tellings: list[Telling] = field(default_factory=list)


async def _tell(connection: Connection, due: Sequence[Escalation], tools: BatchParts, now: int) -> int:
    alerts = [e.alert for e in due]
    stand = await standings(connection, alerts, tools.silenced, now)
    # First of all: what is not being sent by now never will be, and what is may be told its end.
    await deliveries.drop(connection, [e.alert for e in due if _is_over(e, stand[e.alert])], ENDED)
    said = await deliveries.of_alerts(connection, alerts)
    progress = _Progress()
    for escalation in due:
        _advance(escalation, stand[escalation.alert], said.get(escalation.alert, []), tools, now, progress)
    open_groups = await deliveries.windows(
        connection, {t.group for t in progress.tellings if t.group_for_s > 0}, now
    )
    placed = place(progress.tellings, open_groups, now, tools.new_id)
    await deliveries.insert(connection, placed, now)
    saved = [counted_from(e, placed.first_due.get(e.alert, now), now) for e in progress.changed]
    await escalation_rows.save(connection, saved)
    return len(placed.new)


def _is_over(escalation: Escalation, standing: AlertStanding) -> bool:
    return escalation.state is EscalationState.ENDING or not standing.firing


def _advance(
    escalation: Escalation,
    standing: AlertStanding,
    said: Sequence[DeliveryOfAlert],
    tools: BatchParts,
    now: int,
    progress: _Progress,
) -> None:
    if _is_over(escalation, standing):
        _end(escalation, standing, said, now, progress)
    elif in_hand(escalation, standing):
        progress.changed.append(acknowledged(escalation))
    elif (waits := waiting(escalation, standing, now)) is not None:
        progress.changed.append(waits)
    else:
        progress.changed.append(_step(escalation, standing, said, tools, now, progress))


def _step(
    escalation: Escalation,
    standing: AlertStanding,
    said: Sequence[DeliveryOfAlert],
    tools: BatchParts,
    now: int,
    progress: _Progress,
) -> Escalation:
    facts = standing.facts
    if escalation.plan is None:
        plan = tools.routing.plan(facts, now)
        if not plan.steps:
            return unrouted(escalation)
        escalation = planned(escalation, plan, now)
        if escalation.next_at is not None and escalation.next_at > now:
            return escalation
    while not (reached := _reached(escalation, facts, tools.routing, now)):
        escalation = passed_over(escalation, now)
        if escalation.waits_for is not None:
            return escalation
    assert escalation.plan is not None
    progress.tellings += [
        Telling(
            alert=escalation.alert,
            facts=facts,
            occasion=escalation.occasion,
            contacts=contacts,
            group_for_s=escalation.plan.group_for_s,
        )
        for found in reached
        if (contacts := untried(found, said, now))
    ]
    return told(escalation, now)


def _reached(
    escalation: Escalation, facts: AlertFacts, routing: RoutePlans, now: int
) -> list[Sequence[Contact]]:
    """Return the contacts of each person whom the next step reaches."""
    people = routing.people(receivers_of(escalation), facts, now)
    found = [routing.contacts(person, facts.severity, now) for person in people]
    return [contacts for contacts in found if contacts]


def untried(contacts: Sequence[Contact], said: Sequence[DeliveryOfAlert], now: int) -> list[Contact]:
    """Return the contacts to which no message about the alert is on its way: that says the newest.

    One that is planned for later than a contact (quiet hours, a digest) does not stand for it.
    """
    on_its_way: dict[tuple[str, str], int] = {}
    for one in said:
        if one.state in ("planned", "sending") and not one.told:
            at = now if one.attempts else one.due_at
            there = one.channel, one.address
            on_its_way[there] = min(at, on_its_way.get(there, at))
    return [c for c in contacts if on_its_way.get((c.channel, c.address), inf) > now + round(c.after_s * 1e6)]


def _end(
    escalation: Escalation,
    standing: AlertStanding,
    said: Sequence[DeliveryOfAlert],
    now: int,
    progress: _Progress,
) -> None:
    """Tell the end to whoever was told the beginning; where that is not known yet, once it is.

    A route without ends tells them where the beginning would stay for ever.
    """
    look_at = look_again_at(said, now)
    progress.changed.append(
        ended(escalation)
        if look_at is None
        else replace(escalation, state=EscalationState.ENDING, next_at=look_at, waits_for=None)
    )
    group_for_s = escalation.plan.group_for_s if escalation.plan else 0.0
    progress.tellings += [
        Telling(
            alert=escalation.alert,
            facts=standing.facts,
            occasion=Occasion.RESOLVED,
            contacts=contacts,
            group_for_s=group_for_s,
        )
        for contacts in ends_told(escalation.plan, said)
    ]


def ends_told(plan: NotificationPlan | None, said: Sequence[DeliveryOfAlert]) -> Sequence[Sequence[Contact]]:
    """Return the contacts of each person at which they hear the end, as their route says."""
    found = list(to_hear_the_end(said).values())
    if plan is None or plan.resolved:
        return found
    return [kept for contacts in found if (kept := [c for c in contacts if c.channel in RETAINED])]


def look_again_at(said: Sequence[DeliveryOfAlert], now: int) -> int | None:
    """Return when to look again who was told the beginning; None: that is known of everybody."""
    uncertain = [d for d in said if d.uncertain and d.occasion != Occasion.RESOLVED]
    if not uncertain:
        return None
    waits = min(now if d.state == "sending" else max(d.due_at, now) for d in uncertain)
    return min(waits, now + LOOK_AGAIN_US) + UNCERTAIN_US


def to_hear_the_end(said: Sequence[DeliveryOfAlert]) -> Mapping[int, list[Contact]]:
    """Return the addresses at which people were told and have not heard the end, by person, each once."""
    over = {(d.channel, d.address) for d in said if d.occasion == Occasion.RESOLVED}
    unsure = {(d.channel, d.address) for d in said if d.uncertain}
    found: dict[int, list[Contact]] = {}
    for one in said:
        contact = Contact(person_id=one.person_id, channel=one.channel, address=one.address, after_s=0.0)
        there = found.setdefault(one.person_id, [])
        if one.told and (one.channel, one.address) not in over | unsure and contact not in there:
            there.append(contact)
    return {person: contacts for person, contacts in found.items() if contacts}
