"""That a person has seen an alert: said of one or of many, taken back, or lapsed with time.

It never changes a condition. That it lapses when the severity rises stands in alerts.record, in the
transaction of the reading that raised it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from alerts.transition import Severity
from devices.instants import to_datetime
from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

BY_SEVERITY, BY_AGE = "severity", "age"
"""Why an acknowledgement lapsed, the body of its note."""

# Rows are locked in one order, so that two who acknowledge the same alerts never wait for each other.
_ACKNOWLEDGE = """
WITH chosen AS (
    SELECT id FROM alert WHERE id = ANY($1::bigint []) AND acknowledged_at IS NULL ORDER BY id FOR UPDATE
), changed AS (
    UPDATE alert SET acknowledged_at = $2, acknowledger_id = $3
    FROM chosen WHERE alert.id = chosen.id AND alert.acknowledged_at IS NULL
    RETURNING alert.id, alert.device_id, alert.opened_at, NULL::timestamptz AS before,
        $2::timestamptz AS after
), noted AS (
    INSERT INTO alert_note (alert_id, type, author_id, created_at)
    SELECT id, 'acknowledged', $3, $2 FROM changed ORDER BY id
)
"""
_WITHDRAW = """
WITH chosen AS (
    SELECT id, acknowledged_at FROM alert
    WHERE id = ANY($1::bigint []) AND acknowledged_at IS NOT NULL ORDER BY id FOR UPDATE
), changed AS (
    UPDATE alert SET acknowledged_at = NULL, acknowledger_id = NULL
    FROM chosen WHERE alert.id = chosen.id AND alert.acknowledged_at IS NOT NULL
    RETURNING alert.id, alert.device_id, alert.opened_at, chosen.acknowledged_at AS before,
        NULL::timestamptz AS after
), noted AS (
    INSERT INTO alert_note (alert_id, type, author_id, created_at)
    SELECT id, 'unacknowledged', $3::integer, $2::timestamptz FROM changed ORDER BY id
)
"""
_CHANGED = """
SELECT changed.id, changed.before, changed.after, municipality_at(device, changed.opened_at) AS municipality
FROM changed
JOIN device ON device.id = changed.device_id
ORDER BY changed.id
"""
_KNOWN = "SELECT id FROM alert WHERE id = ANY($1::bigint [])"
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgements:
    """Numbers of alerts: those changed, those that were so before, and those that do not exist."""

    changed: Sequence[int]
    unchanged: Sequence[int]
    unknown: Sequence[int]


async def acknowledge(
    connection: Connection, alert_ids: Sequence[int], *, by: Actor, now: int
) -> Acknowledgements:
    """Record that a person has seen the alerts; the first acknowledgement of each stays.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    return await _change(connection, _ACKNOWLEDGE + _CHANGED, "acknowledge", alert_ids, by, now)


async def withdraw(
    connection: Connection, alert_ids: Sequence[int], *, by: Actor, now: int
) -> Acknowledgements:
    """Take the acknowledgements that stand back, whoever gave them: nobody has seen these alerts.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    return await _change(connection, _WITHDRAW + _CHANGED, "unacknowledge", alert_ids, by, now)


async def _change(
    connection: Connection, statement: str, verb: str, alert_ids: Sequence[int], by: Actor, now: int
) -> Acknowledgements:
    wanted = sorted(set(alert_ids))
    async with connection.transaction():
        rows = await connection.fetch(statement, wanted, to_datetime(now), by.principal)
        if rows:
            await audit.record_many(connection, [_audited(verb, row) for row in rows], by=by, now=now)
            await connection.execute(_NOTIFY)
        known = {row["id"] for row in await connection.fetch(_KNOWN, wanted)}
    changed = [row["id"] for row in rows]
    return Acknowledgements(
        changed=changed,
        unchanged=sorted(known - set(changed)),
        unknown=[one for one in wanted if one not in known],
    )


def _audited(verb: str, row: asyncpg.Record) -> AuditedChange:
    return AuditedChange(
        municipality=row["municipality"],
        action=f"alert.{verb}",
        subject=str(row["id"]),
        before={"acknowledged_at": row["before"]},
        after={"acknowledged_at": row["after"]},
    )


_LAPSE = """
WITH old AS (
    SELECT alert.id
    FROM unnest($1::text [], $2::timestamptz []) AS allowed (severity, seen_before)
    JOIN alert ON alert.state = 'firing' AND alert.severity = allowed.severity
        AND alert.acknowledged_at < allowed.seen_before
        AND NOT EXISTS (SELECT FROM person WHERE person.id = alert.assignee_id AND person.disabled_at IS NULL)
        AND NOT EXISTS (
            SELECT FROM work_order_alert AS a
            JOIN work_order AS o ON o.id = a.order_id
            WHERE a.alert_id = alert.id AND o.state NOT IN ('done', 'cancelled')
        )
    ORDER BY alert.id FOR UPDATE OF alert SKIP LOCKED
), lapsed AS (
    UPDATE alert SET acknowledged_at = NULL, acknowledger_id = NULL
    FROM old WHERE alert.id = old.id
    RETURNING alert.id
), noted AS (
    INSERT INTO alert_note (alert_id, type, body, created_at)
    SELECT id, 'lapsed', $3, $4 FROM lapsed ORDER BY id
    RETURNING id
), counted AS (
    SELECT count(*) AS alerts FROM noted
)
SELECT alerts, CASE WHEN alerts > 0 THEN pg_notify('nabd_alert', '') END FROM counted
"""


async def lapse(connection: Connection, valid_for_s: Mapping[Severity, float], now: int) -> int:
    """End acknowledgements of open alerts that are older than allowed, and return how many there were.

    That of an alert which is assigned to somebody, or in an open work order, stays: it is worked on. An
    alert that somebody is changing now is left for the next time.

    Args:
        valid_for_s: by severity, in seconds; one that is not named never lapses.
        now: microseconds since 1970-01-01Z.
    """
    if not valid_for_s:
        return 0
    seen_before = [to_datetime(now - round(seconds * 1e6)) for seconds in valid_for_s.values()]
    lapsed: int = await connection.fetchval(
        _LAPSE, [str(severity) for severity in valid_for_s], seen_before, BY_AGE, to_datetime(now)
    )
    return lapsed
