"""Devices of which nothing is stored although they are in use: refused, or never heard.

Neither is silence: whoever is refused speaks, and its battery is well. Judged as silence is (`core.silent`),
from the last stored reading on, else from the installation. Here is what is read from tables.
"""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from rules.definition.definition import Silent
from rules.language.program import Rule
from rules.sweeps.core import silent
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

COUNTED = 1000
"""Of so many of its newest refused messages the count and the most frequent reason are told."""
_DETAIL = 120

# $1 up to when ingest has received, $2 since when it is caught up, $3 and $4 kinds with their longest
# interval, $5 only this kind, $6 intervals, $7 seconds at least, $8 rule.
UNHEARD = """
SELECT device.id AS device_id, device.name, device.installed_at, latest.received_at, expected.interval_s,
    newest.received_at AS refused_at,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
INNER JOIN unnest($3::text [], $4::float8 []) AS kind (name, every_s) ON device.kind = kind.name
LEFT JOIN latest ON device.id = latest.device_id AND latest.received_at >= device.installed_at
CROSS JOIN LATERAL (
    SELECT coalesce(
        latest.interval_s,
        CASE WHEN jsonb_typeof(device.attributes -> 'interval_s') = 'number'
            THEN (device.attributes ->> 'interval_s')::float8 END,
        kind.every_s
    ) AS interval_s
) AS expected
LEFT JOIN LATERAL (
    SELECT rejection.received_at FROM rejection
    WHERE rejection.device = device.name AND NOT starts_with(rejection.detail, 'replaced: ')
    ORDER BY rejection.id DESC LIMIT 1
) AS newest ON true
WHERE device.retired_at IS NULL AND device.installed_at IS NOT NULL
    AND ($5::text IS NULL OR device.kind = $5)
    AND coalesce(latest.received_at, device.installed_at)
        + greatest(expected.interval_s * $6::float8, $7::float8) * interval '1 second' < $1::timestamptz
    AND $2::timestamptz + expected.interval_s * interval '1 second' < $1::timestamptz
    AND NOT EXISTS (
        SELECT FROM alert
        WHERE alert.rule = $8 AND alert.device_id = device.id AND alert.state = 'firing'
    )
ORDER BY device.id
"""

REFUSALS = """
SELECT count(*) AS refused, min(newest.received_at) AS since,
    mode() WITHIN GROUP (ORDER BY newest.reason) AS reason,
    (array_agg(newest.detail ORDER BY newest.id DESC)) [1] AS detail
FROM (
    SELECT rejection.id, rejection.received_at, rejection.reason, rejection.detail FROM rejection
    WHERE rejection.device = $1 AND rejection.received_at > $2
        AND NOT starts_with(rejection.detail, 'replaced: ')
    ORDER BY rejection.id DESC LIMIT $3
) AS newest
"""

OPEN = """
SELECT alert.device_id, alert.rule_version, alert.severity, alert.opened_at, latest.received_at,
    coalesce(latest.interval_s, 0) AS interval_s, newest.received_at AS refused_at
FROM alert
INNER JOIN device ON alert.device_id = device.id
LEFT JOIN latest ON alert.device_id = latest.device_id
LEFT JOIN LATERAL (
    SELECT rejection.received_at FROM rejection
    WHERE rejection.device = device.name AND NOT starts_with(rejection.detail, 'replaced: ')
    ORDER BY rejection.id DESC LIMIT 1
) AS newest ON true
WHERE alert.rule = $1 AND alert.state = 'firing'
ORDER BY alert.device_id
"""


async def sweep(connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve alerts of one rule; return how many transitions that made."""
    family = rule.definition.silent
    assert family is not None
    made = await _end(connection, rule, family, moment)
    if moment.caught_up_at is None:
        return made
    rows = await connection.fetch(
        UNHEARD,
        to_datetime(moment.received_until),
        moment.caught_up_at,
        list(kinds),
        [max(r.every_s for r in kind.reporting) for kind in kinds.values()],
        rule.definition.kind,
        family.intervals,
        family.at_least_us / 1e6,
        rule.id,
    )
    wanted = [row for row in rows if _is_meant(family, row, moment) and not moment.rests(row["device_id"])]
    if family.of == "never":
        found = [_never(family, row, moment.now) for row in wanted]
    else:
        found = [await _refused(connection, row, family.severity, moment.now) for row in wanted]
    return made + await begin(connection, rule, found, moment.now)


def _is_meant(family: Silent, row: asyncpg.Record, moment: SweepContext) -> bool:
    """Tell whether a device that is overdue is one that is refused, or one that was never heard."""
    speaks = speaks_refused(family, row["refused_at"], row["interval_s"], moment.received_until)
    return speaks if family.of == "refused" else not speaks and row["received_at"] is None


def speaks_refused(family: Silent, refused_at: object, interval_s: float, until: int) -> bool:
    """Tell whether something of a device was refused so lately that it cannot be called silent."""
    if refused_at is None:
        return False
    interval_us = np.array([round(interval_s * 1e6)], dtype=np.int64)
    patience = int(silent.patience_us(family, interval_us)[0])
    return to_microseconds(refused_at) + patience >= until  # type: ignore[arg-type]  # a timestamptz


def _never(family: Silent, row: asyncpg.Record, now: int) -> NewAlert:
    installed = to_microseconds(row["installed_at"])
    patience_s = max(family.intervals * row["interval_s"], family.at_least_us / 1e6)
    deadline = installed + round(patience_s * 1e6)
    return NewAlert(
        device_id=row["device_id"],
        severity=family.severity,
        observed_at=deadline,
        received_at=deadline,
        evidence={
            "condition": f"never heard within {family.intervals:g} intervals",
            "since": row["installed_at"].isoformat(),
            "values": {
                "silent_min": round((now - installed) / 60e6, 1),
                "silent_s": round((now - installed) / 1e6),
            },
            "limits": {"interval_s": row["interval_s"]},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )


async def _refused(connection: Connection, row: asyncpg.Record, severity: Severity, now: int) -> NewAlert:
    after = row["received_at"] or row["installed_at"]
    told = await connection.fetchrow(REFUSALS, row["name"], after, COUNTED)
    since = (told["since"] if told is not None else None) or row["refused_at"]
    reason = ": ".join(part for part in (told["reason"], told["detail"]) if part) if told else ""
    values = {
        "refused_min": round((now - to_microseconds(since)) / 60e6, 1),
        "refused": told["refused"] if told is not None else 0,
        "reason": reason[:_DETAIL],
    }
    return NewAlert(
        device_id=row["device_id"],
        severity=severity,
        observed_at=to_microseconds(since),
        received_at=to_microseconds(row["refused_at"]),
        evidence={
            "condition": "everything it sends is refused",
            "since": since.isoformat(),
            "values": values,
            "limits": {"interval_s": row["interval_s"]},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )


async def _end(connection: Connection, rule: Rule, family: Silent, moment: SweepContext) -> int:
    """Close alerts of devices of which something is stored, or that are refused no longer, or are now."""
    rows = await connection.fetch(OPEN, rule.id)
    endings = [
        EndedAlert(
            device_id=row["device_id"],
            rule=rule.id,
            version=row["rule_version"],
            severity=Severity(row["severity"]),
            observed_at=moment.now,
            received_at=moment.now,
            condition=condition,
        )
        for row in rows
        if (condition := _why_ended(family, row, moment)) and not moment.rests(row["device_id"])
    ]
    return await end(connection, endings, moment.now)


def _why_ended(family: Silent, row: asyncpg.Record, moment: SweepContext) -> str:
    if row["received_at"] is not None and row["received_at"] > row["opened_at"]:
        return "a reading was received"
    speaks = speaks_refused(family, row["refused_at"], row["interval_s"], moment.received_until)
    if family.of == "refused" and not speaks:
        return "nothing was refused lately"
    return "what it sends is refused" if family.of == "never" and speaks else ""
