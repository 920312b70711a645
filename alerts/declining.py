"""That a person who was told of alerts cannot come: others are told at once. It changes no condition."""

from __future__ import annotations

from collections.abc import Sequence

from devices.instants import to_datetime
from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

# An alert that has ended needs nobody.
_DECLINE = """
WITH noted AS (
    INSERT INTO alert_note (alert_id, type, author_id, body, created_at)
    SELECT id, 'declined', $3, $4, $2 FROM alert
    WHERE id = ANY($1::bigint []) AND state = 'firing' ORDER BY id
    RETURNING id, alert_id
)
SELECT noted.id, noted.alert_id, municipality_at(device, alert.opened_at) AS municipality
FROM noted
JOIN alert ON alert.id = noted.alert_id
JOIN device ON device.id = alert.device_id
ORDER BY noted.id
"""
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


async def decline(
    connection: Connection, alert_ids: Sequence[int], *, by: Actor, body: str, now: int
) -> list[int]:
    """Record that a person cannot come for some alerts, and return those that are open.

    The audit has the numbers of the events only: what people write may name people.

    Args:
        body: why; may be empty.
        now: microseconds since 1970-01-01Z.
    """
    async with connection.transaction():
        rows = await connection.fetch(_DECLINE, sorted(set(alert_ids)), to_datetime(now), by.principal, body)
        changes = [
            AuditedChange(
                municipality=row["municipality"],
                action="alert.decline",
                subject=str(row["alert_id"]),
                after={"event": row["id"]},
            )
            for row in rows
        ]
        if changes:
            await audit.record_many(connection, changes, by=by, now=now)
            await connection.execute(_NOTIFY)
    return [row["alert_id"] for row in rows]
