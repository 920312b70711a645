"""Alerts of somebody who cannot work on them any more are nobody's, so that others are told of them again."""

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


async def unassign(connection: Connection, person: int, now: int, *, by: Actor) -> None:
    """Give the open alerts of a person to nobody. In a transaction that has locked the person."""
    rows = await connection.fetch(_TAKE, person, by.principal, to_datetime(now))
    changes = [
        AuditedChange(
            municipality=row["municipality"],
            action="alert.assign",
            subject=str(row["id"]),
            before={"assignee": person},
            after={"assignee": None},
        )
        for row in rows
    ]
    if changes:
        await audit.record_many(connection, changes, by=by, now=now)
        await connection.execute(_NOTIFY)
