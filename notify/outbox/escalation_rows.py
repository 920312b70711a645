"""Escalations in their table, many at a time. Must not know what becomes of one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict

import asyncpg
import msgspec

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from notify.facts import NotificationPlan
from notify.message import Occasion
from notify.outbox.escalation import Escalation, EscalationReason, EscalationState
from store.connection import Connection

_COLUMNS = "alert_id, state, occasion, severity, plan, step, next_at, waits_for, began_at"
_SELECT = f"SELECT {_COLUMNS} FROM escalation "  # noqa: S608 - a constant list of columns
_OF_ALERTS = _SELECT + "WHERE alert_id = ANY($1::bigint [])"
_DUE = _SELECT + "WHERE next_at <= $1 ORDER BY next_at, alert_id LIMIT $2"


async def of_alerts(connection: Connection, alerts: Collection[int]) -> dict[int, Escalation]:
    """Return the escalations that alerts have, by alert."""
    rows = await connection.fetch(_OF_ALERTS, list(alerts))
    return {row["alert_id"]: _escalation(row) for row in rows}


async def due(connection: Connection, now: int, limit: int) -> list[Escalation]:
    """Return escalations of which something is due, the oldest first."""
    return [_escalation(row) for row in await connection.fetch(_DUE, to_datetime(now), limit)]


_NEXT = "SELECT min(next_at) FROM escalation WHERE next_at IS NOT NULL"


async def next_due(connection: Connection) -> int | None:
    """Return when something is due next."""
    found = await connection.fetchval(_NEXT)
    return None if found is None else to_microseconds(found)


_ENDED_EARLY = """
SELECT EXISTS (SELECT FROM silence WHERE ended_at > $1)
    OR EXISTS (SELECT FROM alert_hold WHERE until_at > $1)
"""
_SILENCED = "UPDATE escalation SET next_at = $1 WHERE next_at > $1 AND waits_for = 'silenced'"


async def silence_ended(connection: Connection, since: int) -> bool:
    """Tell whether somebody ended a silence, or the work on a device, since an instant."""
    found: bool = await connection.fetchval(_ENDED_EARLY, to_datetime(since))
    return found


async def look_again(connection: Connection, now: int) -> None:
    """Let what waits for the end of a silence be due: where it is still silenced it waits on."""
    await connection.execute(_SILENCED, to_datetime(now))


_SAVE = f"""
INSERT INTO escalation AS kept ({_COLUMNS})
SELECT alert_id, state, occasion, severity, plan::jsonb, step, next_at, waits_for, began_at
FROM unnest($1::bigint [], $2::text [], $3::text [], $4::text [], $5::text [], $6::int [],
    $7::timestamptz [], $8::text [], $9::timestamptz []) AS new ({_COLUMNS})
ON CONFLICT (alert_id) DO UPDATE SET
    state = excluded.state, occasion = excluded.occasion, severity = excluded.severity, plan = excluded.plan,
    step = excluded.step, next_at = excluded.next_at, waits_for = excluded.waits_for,
    began_at = excluded.began_at
"""  # noqa: S608 - a constant list of columns


async def save(connection: Connection, escalations: Sequence[Escalation]) -> None:
    """Store escalations, new ones and changed ones; one of an alert at most."""
    if not escalations:
        return
    await connection.execute(
        _SAVE,
        [e.alert for e in escalations],
        [e.state for e in escalations],
        [e.occasion for e in escalations],
        [e.severity for e in escalations],
        [e.plan and msgspec.json.encode(asdict(e.plan)).decode() for e in escalations],
        [e.step for e in escalations],
        [None if e.next_at is None else to_datetime(e.next_at) for e in escalations],
        [e.waits_for for e in escalations],
        [to_datetime(e.began_at) for e in escalations],
    )


def _escalation(row: asyncpg.Record) -> Escalation:
    return Escalation(
        alert=row["alert_id"],
        state=EscalationState(row["state"]),
        occasion=Occasion(row["occasion"]),
        severity=Severity(row["severity"]),
        plan=None if row["plan"] is None else msgspec.convert(row["plan"], NotificationPlan),
        step=row["step"],
        next_at=None if row["next_at"] is None else to_microseconds(row["next_at"]),
        waits_for=None if row["waits_for"] is None else EscalationReason(row["waits_for"]),
        began_at=to_microseconds(row["began_at"]),
    )
