"""What a device raises while somebody has an order about it: each such alert is added to the order.

Run now and then by the process that tells people; a turn that finds nothing changes nothing. Must not know
who is told.
"""

from __future__ import annotations

from devices.instants import to_datetime
from store import audit
from store.audit import PLATFORM, AuditedChange
from store.connection import Connection

# Alerts of before the order are not its matter: whoever made it chose among those. Of several open orders of
# a device the oldest has them. An alert that somebody is changing now is added the next time.
_ADD = """
WITH found AS (
    SELECT
        alert.id AS alert_id,
        (
            SELECT min(o.id) FROM work_order AS o
            WHERE o.device_id = alert.device_id AND o.state NOT IN ('done', 'cancelled')
                AND o.created_at <= alert.detected_at
        ) AS order_id
    FROM alert
    WHERE alert.state = 'firing'
        AND alert.device_id IN (
            SELECT o.device_id FROM work_order AS o WHERE o.state NOT IN ('done', 'cancelled')
        )
        AND NOT EXISTS (
            SELECT FROM work_order_alert AS a
            INNER JOIN work_order AS o ON a.order_id = o.id
            WHERE a.alert_id = alert.id AND o.state NOT IN ('done', 'cancelled')
        )
    ORDER BY alert.id
    FOR NO KEY UPDATE OF alert SKIP LOCKED
),

added AS (
    INSERT INTO work_order_alert (order_id, alert_id)
    SELECT order_id, alert_id FROM found WHERE order_id IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING order_id, alert_id
),

noted AS (
    INSERT INTO work_event (order_id, type, body, happened_at, created_at)
    SELECT order_id, 'alert-added', jsonb_build_object('alert', alert_id), $1, $1 FROM added ORDER BY alert_id
)

SELECT added.order_id, added.alert_id, work_order.municipality_id
FROM added
INNER JOIN work_order ON added.order_id = work_order.id
ORDER BY added.alert_id
"""


async def add_alerts(connection: Connection, now: int) -> int:
    """Add what devices have raised since to the open orders about them; return how many alerts that were.

    Args:
        now: our time, microseconds since 1970-01-01Z.
    """
    async with connection.transaction():
        rows = await connection.fetch(_ADD, to_datetime(now))
        changes = [
            AuditedChange(
                municipality=row["municipality_id"],
                action="work.add-alert",
                subject=str(row["order_id"]),
                after={"alert": row["alert_id"]},
            )
            for row in rows
        ]
        if changes:
            await audit.record_many(connection, changes, by=PLATFORM, now=now)
    return len(rows)
