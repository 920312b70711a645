"""Alerts that no reading will ever end: their device was retired, or their rule withdrawn.

Run with every sweep, so that they end also where nothing is received any more. The evaluator follows: it
takes what is open from the database whenever rules or devices change.
"""

from __future__ import annotations

from typing import Any

import asyncpg

from alerts.record import record
from alerts.transition import ConditionState, Severity, Transition
from devices.instants import to_datetime, to_microseconds
from store.connection import Connection

_LEFT = """
SELECT
    alert.rule, alert.rule_version, alert.device_id, alert.severity, alert.opened_at,
    device.retired_at, device.retired_reason
FROM alert
INNER JOIN device ON alert.device_id = device.id
WHERE
    alert.state = 'firing'
    AND (
        device.retired_at IS NOT NULL
        OR NOT EXISTS (SELECT FROM rule WHERE rule.id = alert.rule AND rule.active)
    )
ORDER BY alert.id
"""


async def end_leftovers(connection: Connection, now: int) -> int:
    """Resolve such alerts with the reason as evidence and return how many there were.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    rows = await connection.fetch(_LEFT)
    if not rows:
        return 0
    async with connection.transaction():
        return await record(connection, [_ended(row, now) for row in rows], lambda _: {}, now)


def _ended(row: asyncpg.Record, now: int) -> Transition:
    retired_at = row["retired_at"]
    evidence: dict[str, Any] = {"condition": "the rule was withdrawn"}
    if retired_at is not None:
        evidence = {"condition": "the device was retired", "reason": row["retired_reason"]}
    at = max(row["opened_at"], retired_at or to_datetime(now))
    return Transition(
        rule=row["rule"],
        version=row["rule_version"],
        device_id=row["device_id"],
        from_state=ConditionState.FIRING,
        to_state=ConditionState.RESOLVED,
        severity=Severity(row["severity"]),
        observed_at=to_microseconds(at),
        received_at=now,
        evidence=evidence,
    )
