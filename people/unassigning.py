"""Alerts and work of somebody who is gone are nobody's, so that others are told of them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from devices.instants import to_datetime
from store import audit
from store.audit import Actor, AuditedChange

if TYPE_CHECKING:
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
    SELECT id, municipality_id, team_id FROM work_order
    WHERE assignee_id = $1 AND state NOT IN ('done', 'cancelled')
    ORDER BY id FOR UPDATE
),

taken AS (
    UPDATE work_order SET
        assignee_id = NULL, version = version + 1,
        state = CASE WHEN held.team_id IS NULL THEN 'open' ELSE 'assigned' END
    FROM held WHERE work_order.id = held.id
),

noted AS (
    INSERT INTO work_event (order_id, type, author_id, body, happened_at, created_at)
    SELECT id, 'unassigned', $2, jsonb_build_object('assignee', $1::integer, 'team', NULL), $3, $3 FROM held
),

released AS (
    UPDATE alert_hold SET until_at = $3 FROM held
    WHERE alert_hold.holder = 'work order ' || held.id AND alert_hold.until_at IS NULL
)

SELECT id, municipality_id AS municipality FROM held ORDER BY id
"""


async def unassign(connection: Connection, person: int, now: int, *, by: Actor) -> None:
    """Give the open alerts of a person to nobody, their open work to its team, else to nobody.

    In a transaction that has locked the person.
    """
    taken = {
        "alert.assign": await connection.fetch(_TAKE, person, by.principal, to_datetime(now)),
        "work.assign": await connection.fetch(_TAKE_WORK, person, by.principal, to_datetime(now)),
    }
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
