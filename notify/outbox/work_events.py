"""Follows what happens to work orders, in the order (xid, id), and plans who is told of it.

Each batch of events is one transaction with the place up to which they were read: an event is told once, and
none is passed over. What somebody did themselves is not told to them. Instants are microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from alerts.transition import Severity
from notify.facts import AlertFacts
from notify.outbox.ownership import NotLeader
from notify.outbox.planned import NoticeTopic, PlannedNotice, plan
from notify.outbox.ports import RoutePlans
from notify.routing.names import OPERATORS
from store.connection import Connection
from work.event import WorkEventType as E
from work.order import OPEN_STATES, WorkState

AT_ONCE = 500
"""Most events in one transaction."""
MISSED = frozenset({E.RESPONSE_MISSED, E.REPAIR_MISSED})
TOLD = MISSED | {E.ASSIGNED, E.REOPENED, E.RESPONSE_NEAR, E.REPAIR_NEAR, E.CANCELLED}
"""What people are told of."""
_ANSWERED = (E.ASSIGNED, E.REOPENED, E.RESPONSE_NEAR, E.RESPONSE_MISSED)
_ALL_BUT_ENDS = (*_ANSWERED, E.REPAIR_NEAR, E.REPAIR_MISSED)
OUTDATES: Mapping[E, Sequence[E]] = {
    E.ASSIGNED: (E.ASSIGNED, E.REOPENED),
    E.UNASSIGNED: (E.ASSIGNED, E.REOPENED),
    E.DECLINED: (E.ASSIGNED, E.REOPENED),
    E.ACCEPTED: _ANSWERED,
    E.ON_THE_WAY: _ANSWERED,
    E.IN_PROGRESS: _ANSWERED,
    E.DONE: _ALL_BUT_ENDS,
    E.CANCELLED: _ALL_BUT_ENDS,
}
"""What nobody needs to be told any more where it was not sent yet, for own steps or quiet hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEventFacts:
    """One event, with its order as it is now.

    given_to: receivers that the event names, as routes write them. held_by: whose the order is.
    """

    xid: int
    id: int
    order: int
    type: E
    author: int | None
    municipality: str
    kind: str
    device: str
    severity: Severity
    state: WorkState
    given_to: str | None
    held_by: str | None


_CURSOR = "SELECT work_xid, work_event_id FROM notifier WHERE owner = $1"
_AFTER = """
SELECT e.xid, e.id, e.order_id AS order, e.type, e.author_id AS author, town.name AS municipality,
    device.kind, device.name AS device, o.severity, o.state,
    CASE
        WHEN given.name IS NOT NULL THEN 'person:' || given.name
        WHEN given_team.name IS NOT NULL THEN 'team:' || given_team.name
    END AS given_to,
    CASE
        WHEN holder.name IS NOT NULL THEN 'person:' || holder.name
        WHEN team.name IS NOT NULL THEN 'team:' || team.name
    END AS held_by
FROM work_event AS e
INNER JOIN work_order AS o ON e.order_id = o.id
INNER JOIN municipality AS town ON o.municipality_id = town.id
INNER JOIN device ON o.device_id = device.id
LEFT JOIN person AS holder ON o.assignee_id = holder.id
LEFT JOIN team ON o.team_id = team.id
LEFT JOIN person AS given ON given.id = (e.body ->> 'assignee')::integer
LEFT JOIN team AS given_team ON given_team.id = (e.body ->> 'team')::integer
WHERE (e.xid, e.id) > ($1::xid8, $2::bigint) AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.id
LIMIT $3
"""
_READ_UP_TO = """
UPDATE notifier SET work_xid = $2::xid8, work_event_id = $3
WHERE owner = $1 AND (work_xid, work_event_id) = ($4::xid8, $5::bigint)
RETURNING true
"""
_OUTDATED = """
UPDATE delivery SET state = 'not-needed', answer = $3
WHERE order_id = $1 AND state = 'planned' AND about ->> 'event' = ANY($2::text [])
"""


async def advance(connection: Connection, owner: UUID, routing: RoutePlans, now: int) -> tuple[int, bool]:
    """Read events after those that were read, and plan what is told; return how many messages.

    Returns:
        also whether there may be more events already.

    Raises:
        NotLeader: another process tells people now; nothing was written.
    """
    read = await connection.fetchrow(_CURSOR, owner)
    if read is None:
        raise NotLeader
    rows = await connection.fetch(_AFTER, *read, AT_ONCE)
    if not rows:
        return 0, False
    events = [_happening(dict(row)) for row in rows]
    async with connection.transaction():
        last = events[-1]
        if not await connection.fetchval(_READ_UP_TO, owner, last.xid, last.id, *read):
            raise NotLeader
        planned = 0
        for event in events:
            if outdated := OUTDATES.get(event.type):
                await connection.execute(_OUTDATED, event.order, list(outdated), f"{event.type} meanwhile")
            planned += await plan(connection, notices_of(event, routing, now), now)
    return planned, len(events) == AT_ONCE


def _happening(row: dict[str, object]) -> WorkEventFacts:
    typed = {
        "type": E(str(row["type"])),
        "severity": Severity(str(row["severity"])),
        "state": WorkState(str(row["state"])),
    }
    return WorkEventFacts(**{**row, **typed})  # type: ignore[arg-type]


def notices_of(event: WorkEventFacts, routing: RoutePlans, now: int) -> list[PlannedNotice]:
    """Return what is told of an event: one message a person, by their own steps and quiet hours. Pure."""
    facts = AlertFacts(
        municipality=event.municipality,
        kind=event.kind,
        severity=event.severity,
        rule="",
        device=event.device,
    )
    people = routing.people(receivers_of(event), facts, now)
    each = {p: routing.contacts(p, event.severity, now) for p in people if p != event.author}
    about = {"event": event.type.value, "event_id": event.id}
    return [
        PlannedNotice(topic=NoticeTopic.WORK, contacts=contacts, about=about, order=event.order)
        for contacts in each.values()
        if contacts
    ]


def receivers_of(event: WorkEventFacts) -> list[str]:
    """Return whom an event concerns, as routes write them. Pure.

    Nobody where the order has ended meanwhile, but of its cancellation; where it is nobody's, the operators.
    """
    if event.type not in TOLD or (event.state not in OPEN_STATES and event.type is not E.CANCELLED):
        return []
    if event.type is E.ASSIGNED:
        return [event.given_to] if event.given_to and event.given_to == event.held_by else []
    found = [event.held_by] if event.held_by else []
    if event.type in MISSED or (not found and event.type is not E.CANCELLED):
        found.append(OPERATORS)
    return found


_OLD = """
SELECT max(id) FROM (
    SELECT id FROM work_event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
    UNION ALL
    SELECT work_event_id FROM notifier WHERE work_xid >= pg_snapshot_xmax(pg_current_snapshot())
) AS old
"""
_NUMBER = """
UPDATE work_event SET xid = CASE
    WHEN (work_event.xid, work_event.id) <= (notifier.work_xid, notifier.work_event_id) THEN '1'::xid8
    ELSE '2'::xid8
END
FROM notifier
WHERE work_event.id <= $1
"""
_GO_ON = "UPDATE notifier SET work_xid = '1', work_event_id = $1"


async def put_first(connection: Connection) -> None:
    """Put events of another cluster before all others, as alerts.restored does those of alerts."""
    async with connection.transaction():
        newest = await connection.fetchval(_OLD)
        if newest is not None:
            await connection.execute(_NUMBER, newest)
            await connection.execute(_GO_ON, newest)
