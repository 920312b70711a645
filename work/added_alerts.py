"""What a device raises while somebody has an order about it: each such alert is added to the order.

The first phase of each round of work; a turn that finds nothing changes nothing. Must not know
who is told.
"""

from __future__ import annotations

from collections.abc import Sequence

from alerts.transition import Severity
from devices.instants import to_datetime
from store import audit
from store.audit import PLATFORM, AuditedChange
from store.connection import Connection

AT_ONCE = 500

# Alerts of before the order are not its matter: whoever made it chose among those. Of several open orders of
# a device the oldest has them. Preventive work that nobody has begun is about something else. An alert or an
# order that somebody is changing now is looked at the next time.
_ADD = """
WITH found AS (
    SELECT alert.id AS alert_id, o.id AS order_id
    FROM alert
    INNER JOIN work_order AS o ON o.id = (
        SELECT min(about.id) FROM work_order AS about
        INNER JOIN device ON about.device_id = device.id AND about.municipality_id = device.municipality_id
        WHERE about.device_id = alert.device_id AND about.state NOT IN ('done', 'cancelled')
            AND about.created_at <= alert.detected_at
            AND (about.origin <> 'plan' OR about.state IN ('on-the-way', 'in-progress'))
    )
    WHERE alert.state = 'firing'
        AND alert.device_id IN (
            SELECT any_open.device_id FROM work_order AS any_open
            WHERE any_open.state NOT IN ('done', 'cancelled')
        )
        AND NOT EXISTS (
            SELECT FROM work_order_alert AS a
            INNER JOIN work_order AS has ON a.order_id = has.id
            WHERE a.alert_id = alert.id AND has.state NOT IN ('done', 'cancelled')
        )
    ORDER BY alert.id
    LIMIT $2
    FOR NO KEY UPDATE OF alert, o SKIP LOCKED
),

added AS (
    INSERT INTO work_order_alert (order_id, alert_id)
    SELECT order_id, alert_id FROM found
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

    An order becomes as severe as the worst that is added.

    Args:
        now: our time, microseconds since 1970-01-01Z.
    """
    async with connection.transaction():
        rows = await connection.fetch(_ADD, to_datetime(now), AT_ONCE)
        if not rows:
            return 0
        orders, alerts = [row["order_id"] for row in rows], [row["alert_id"] for row in rows]
        raised = await raise_severity(connection, orders, alerts)
        changes = [
            AuditedChange(
                municipality=row["municipality_id"],
                action="work.add-alert",
                subject=str(row["order_id"]),
                after={"alert": row["alert_id"]}
                | ({"severity": raised[row["order_id"]]} if row["order_id"] in raised else {}),
            )
            for row in rows
        ]
        await audit.record_many(connection, changes, by=PLATFORM, now=now)
    return len(rows)


_RAISE = """
UPDATE work_order AS o SET severity = ($3::text [])[worst.rank]
FROM (
    SELECT added.order_id, max(array_position($3::text [], alert.severity)) AS rank
    FROM unnest($1::bigint [], $2::bigint []) AS added (order_id, alert_id)
    INNER JOIN alert ON added.alert_id = alert.id
    GROUP BY added.order_id
) AS worst
WHERE o.id = worst.order_id AND worst.rank > array_position($3::text [], o.severity)
RETURNING o.id, o.severity
"""
_BY_RANK = [severity.value for severity in sorted(Severity, key=lambda severity: severity.rank)]


async def raise_severity(
    connection: Connection, orders: Sequence[int], alerts: Sequence[int]
) -> dict[int, str]:
    """Make locked orders as severe as the alerts added to them, each its own; return those that became so.

    Their deadlines follow in the next round. What is held back meanwhile stays what it was.
    """
    rows = await connection.fetch(_RAISE, list(orders), list(alerts), _BY_RANK)
    return {row["id"]: row["severity"] for row in rows}
