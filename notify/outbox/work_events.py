"""Follows what happens to work orders, in the order (xid, id), and plans who is told of it.

Each batch of events is one transaction with the place up to which they were read: an event is told once, and
none is passed over. What somebody did themselves is not told to them. Instants are microseconds.
"""

from __future__ import annotations

from uuid import UUID

from alerts.transition import Severity
from notify.facts import AlertFacts
from notify.outbox.ownership import NotLeader
from notify.outbox.ports import RoutePlans
from notify.outbox.work_digests import WorkNotice, plan_work
from notify.outbox.work_receivers import (
    OUTDATES,
    SAID_ONCE,
    STILL_FOR_OPERATORS,
    WorkEventFacts,
    WorkTelling,
    tellings_of,
)
from notify.routing.names import OPERATORS
from store.connection import Connection
from work.event import WorkEventType as E
from work.order import WorkState

AT_ONCE = 500
"""Most events in one transaction."""
_KNOWN = frozenset(E)
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
    END AS held_by,
    (
        SELECT 'person:' || former.name FROM (
            SELECT before.type, before.body FROM work_event AS before
            WHERE before.order_id = e.order_id AND before.id < e.id
                AND before.type IN ('assigned', 'unassigned', 'accepted', 'declined', 'reopened')
            ORDER BY before.id DESC
            LIMIT 1
        ) AS last
        INNER JOIN person AS former ON former.id = (last.body ->> 'assignee')::integer
        WHERE last.type NOT IN ('unassigned', 'declined')
    ) AS former
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
    AND (about ->> 'to' IS DISTINCT FROM 'operators' OR about ->> 'event' <> ALL($4::text []))
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
    # What a later version stores is passed over.
    events = [_happening(dict(row)) for row in rows if row["type"] in _KNOWN]
    async with connection.transaction():
        last = rows[-1]
        if not await connection.fetchval(_READ_UP_TO, owner, last["xid"], last["id"], *read):
            raise NotLeader
        notices: list[WorkNotice] = []
        for event in events:
            await _outdate(connection, event)
            gone = OUTDATES.get(event.type, ())
            kept = STILL_FOR_OPERATORS.get(event.type, frozenset())
            notices = [
                one
                for one in notices
                if one.order != event.order
                or one.event not in gone
                or (one.to == OPERATORS and one.event in kept)
            ]
            notices += notices_of(event, routing, now)
        planned = await plan_work(connection, notices, now)
    return planned, len(rows) == AT_ONCE


async def _outdate(connection: Connection, event: WorkEventFacts) -> None:
    if outdated := OUTDATES.get(event.type):
        kept = STILL_FOR_OPERATORS.get(event.type, frozenset())
        why = f"{event.type} meanwhile"
        await connection.execute(_OUTDATED, event.order, list(outdated), why, list(kept))


def _happening(row: dict[str, object]) -> WorkEventFacts:
    typed = {
        "type": E(str(row["type"])),
        "severity": Severity(str(row["severity"])),
        "state": WorkState(str(row["state"])),
    }
    return WorkEventFacts(**{**row, **typed})  # type: ignore[arg-type]


def notices_of(event: WorkEventFacts, routing: RoutePlans, now: int) -> list[WorkNotice]:
    """Return what is told of an event: one message a person, by their own steps and quiet hours. Pure."""
    facts = AlertFacts(
        municipality=event.municipality,
        kind=event.kind,
        severity=event.severity,
        rule="",
        device=event.device,
    )
    said: dict[int, WorkTelling] = {}
    for telling in tellings_of(event):
        for person in routing.people([telling.receiver], facts, now):
            said.setdefault(person, telling)
    said.pop(event.author or 0, None)
    group_for_s = routing.plan(facts, now).group_for_s if said else 0.0
    return [
        WorkNotice(
            order=event.order,
            event=telling.event,
            event_id=event.id,
            to=telling.to,
            municipality=event.municipality,
            severity=event.severity,
            contacts=contacts[:1] if telling.event in SAID_ONCE else contacts,
            group_for_s=group_for_s,
        )
        for person, telling in said.items()
        if (contacts := routing.contacts(person, event.severity, now))
    ]


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
