"""Alerts and work of somebody who is gone are nobody's, so that others are told of them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from devices.instants import to_datetime
from people.identity import Grant
from people.roles import PERMISSIONS, Permission
from store import audit
from store.audit import Actor, AuditedChange

if TYPE_CHECKING:
    import asyncpg

    from store.connection import Connection

# In one order, so that two who take alerts away never wait for each other.
_TAKE = """
WITH held AS (
    SELECT id FROM alert WHERE assignee_id = $1 AND state = 'firing' ORDER BY id FOR UPDATE
),

taken AS (
    UPDATE alert SET assignee_id = NULL FROM held WHERE alert.id = held.id
),

noted AS (
    INSERT INTO alert_note (alert_id, type, author_id, body, created_at)
    SELECT id, 'unassigned', $2, '', $3 FROM held
)

SELECT held.id, municipality_at(device, alert.opened_at) AS municipality
FROM held
INNER JOIN alert ON held.id = alert.id
INNER JOIN device ON alert.device_id = device.id
ORDER BY held.id
"""
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


_TAKE_WORK = """
WITH held AS (
    SELECT o.id, o.municipality_id, o.team_id
    FROM work_order AS o
    INNER JOIN municipality ON o.municipality_id = municipality.id
    WHERE o.assignee_id = $1 AND o.state NOT IN ('done', 'cancelled')
        AND municipality.name <> ALL($4::text [])
    ORDER BY o.id FOR UPDATE OF o
),

taken AS (
    UPDATE work_order SET
        assignee_id = NULL, version = version + 1,
        accepted_at = CASE WHEN arrived_at IS NOT NULL THEN accepted_at END,
        state = CASE WHEN held.team_id IS NULL THEN 'open' ELSE 'assigned' END
    FROM held WHERE work_order.id = held.id
),

noted AS (
    INSERT INTO work_event (order_id, type, author_id, body, happened_at, created_at)
    SELECT id, 'unassigned', $2, jsonb_build_object('assignee', $1::integer, 'team', NULL), $3, $3 FROM held
),

released AS (
    UPDATE alert_hold SET until_at = $3 FROM held
    WHERE alert_hold.holder = 'work order ' || held.id
        AND (alert_hold.until_at IS NULL OR alert_hold.until_at > $3)
)

SELECT id, municipality_id AS municipality FROM held ORDER BY id
"""


async def unassign(connection: Connection, person: int, now: int, *, by: Actor) -> None:
    """Give the open alerts of a person to nobody, their open work to its team, else to nobody.

    In a transaction that has locked the person.
    """
    taken = {
        "alert.assign": await connection.fetch(_TAKE, person, by.principal, to_datetime(now)),
        "work.assign": await connection.fetch(_TAKE_WORK, person, by.principal, to_datetime(now), []),
    }
    await _record(connection, person, taken, now, by)


async def unassign_work(
    connection: Connection, person: int, grants: Iterable[Grant], now: int, *, by: Actor
) -> None:
    """Give the open work of a person, where they do not work any more, to its team, else to nobody.

    In a transaction that has locked the person.

    Args:
        grants: that they have from now on.
    """
    works_in = {grant.municipality for grant in grants if Permission.DO_WORK in PERMISSIONS[grant.role]}
    if None in works_in:
        return
    rows = await connection.fetch(
        _TAKE_WORK, person, by.principal, to_datetime(now), sorted(map(str, works_in))
    )
    await _record(connection, person, {"work.assign": rows}, now, by)


async def _record(
    connection: Connection, person: int, taken: Mapping[str, Sequence[asyncpg.Record]], now: int, by: Actor
) -> None:
    changes = [
        AuditedChange(
            municipality=row["municipality"],
            action=action,
            subject=str(row["id"]),
            before={"assignee": person},
            after={"assignee": None},
        )
        for action, rows in taken.items()
        for row in rows
    ]
    if changes:
        await audit.record_many(connection, changes, by=by, now=now)
        await connection.execute(_NOTIFY)
