"""Alerts that nobody would ever end: their device was retired or is only planned, their rule was withdrawn or
is for another kind.

So do those of a device that moved to another municipality: they stay in the old one's history, and what still
holds opens anew in the new one.

Run with every sweep, so that they end also where nothing is received any more. The evaluator follows: it
takes what is open from the database whenever rules or devices change. What other systems hold
(alerts.external) has no rule in force, and does not end for that. Must not know what a rule judges.
"""

from __future__ import annotations

from devices.instants import to_datetime
from devices.registry import generation
from store.connection import Connection

# A retired device's alert ends when it was retired, unless it opened later; a moved one's when it moved.
END = """
WITH ended AS (
    UPDATE alert SET state = 'resolved',
        resolved_at = greatest(
            alert.opened_at,
            coalesce(
                device.retired_at,
                CASE WHEN device.moved_at > alert.opened_at THEN device.moved_at END,
                $1::timestamptz
            )
        )
    FROM device
    WHERE
        alert.device_id = device.id
        AND alert.state = 'firing'
        AND (
            device.retired_at IS NOT NULL
            OR device.installed_at IS NULL
            OR device.moved_at > alert.opened_at
            OR NOT EXISTS (
                SELECT FROM rule
                WHERE rule.id = alert.rule AND (rule.active OR rule.family = 'external')
                    AND coalesce(rule.kind, device.kind) = device.kind
            )
        )
    RETURNING alert.id, alert.severity, alert.resolved_at, CASE
        WHEN device.retired_at IS NOT NULL
            THEN jsonb_build_object('condition', 'the device was retired', 'reason', device.retired_reason)
        WHEN device.installed_at IS NULL THEN jsonb_build_object('condition', 'the device is only planned')
        WHEN device.moved_at > alert.opened_at
            THEN jsonb_build_object('condition', 'the device moved to another municipality')
        WHEN EXISTS (SELECT FROM rule WHERE rule.id = alert.rule AND rule.active)
            THEN jsonb_build_object('condition', 'the rule is for another kind than the device')
        ELSE jsonb_build_object('condition', 'the rule was withdrawn')
    END AS evidence
),

told AS (
    INSERT INTO transition
        (alert_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
    SELECT id, 'firing', 'resolved', severity, resolved_at, $1, $1, evidence FROM ended ORDER BY id
    RETURNING id
),

counted AS (
    SELECT count(*) AS alerts FROM told
)

SELECT alerts, CASE WHEN alerts > 0 THEN pg_notify('nabd_alert', '') END FROM counted
"""


async def end_orphans(connection: Connection, now: int) -> int:
    """Resolve such alerts with the reason as evidence and return how many there were.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    async with connection.transaction():
        ended: int = await connection.fetchval(END, to_datetime(now))
        if ended:
            await generation.advance(connection)
    return ended
