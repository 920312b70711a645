"""Not refreshed: a device speaks, but one measurement it used to send has long been missing or suspect.

`latest` shows whom to suspect, sweep_pending since when; the stored readings are asked only once a device's
time is over, and again only when a newer value was found there. A device that never sent it is left alone.
Who is overdue is for `core.not_refreshed` to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np
from numpy.typing import NDArray

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from readings.tables import table_name
from rules.definition.families import NotRefreshed
from rules.language.program import Rule
from rules.sweeps.core import not_refreshed
from rules.sweeps.core.not_refreshed import LastGoodValues
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

LOOK_BACK_DAYS = 30
"""A device that did not send a measurement for longer has none."""

FORGET = """
DELETE FROM sweep_pending
USING latest
WHERE sweep_pending.rule = $1 AND sweep_pending.device_id = latest.device_id
    AND latest.measurements ? $2 AND (latest.quality >> $3::int) & 1 = 0
"""

SUSPECT = """
INSERT INTO sweep_pending (rule, device_id, since)
SELECT $1, latest.device_id, latest.observed_at
FROM latest
INNER JOIN device ON latest.device_id = device.id
WHERE device.kind = $4 AND device.retired_at IS NULL AND latest.received_at >= device.installed_at
    AND NOT (latest.measurements ? $2 AND (latest.quality >> $3::int) & 1 = 0)
ON CONFLICT (rule, device_id) DO NOTHING
"""

# It only narrows what is read: core.not_refreshed decides, by the last good value.
OVERDUE = """
SELECT pending.device_id, pending.since, latest.received_at, latest.interval_s,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality,
    good.observed_at AS last_good, good.received_at AS good_received, bad.observed_at AS first_bad
FROM sweep_pending AS pending
INNER JOIN latest ON pending.device_id = latest.device_id
INNER JOIN device ON pending.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
LEFT JOIN LATERAL (
    SELECT reading.observed_at, reading.received_at FROM {table} AS reading
    WHERE reading.device_id = pending.device_id AND reading.{measurement} IS NOT NULL
        AND (reading.quality >> {bit}) & 1 = 0
        AND reading.observed_at > pending.since - $5::int * interval '1 day'
    ORDER BY reading.observed_at DESC LIMIT 1
) AS good ON true
LEFT JOIN LATERAL (
    SELECT reading.observed_at FROM {table} AS reading
    WHERE reading.device_id = pending.device_id AND reading.observed_at > good.observed_at
    ORDER BY reading.observed_at LIMIT 1
) AS bad ON true
WHERE pending.rule = $1 AND NOT pending.dismissed AND device.retired_at IS NULL
    AND latest.received_at >= device.installed_at
    AND pending.since
        + greatest(latest.interval_s * $3::float8, $4::float8) * interval '1 second' <= $2::timestamptz
    AND latest.received_at + latest.interval_s * interval '2 seconds' > $2
    AND NOT EXISTS (
        SELECT FROM alert
        WHERE alert.rule = $1 AND alert.device_id = pending.device_id AND alert.state = 'firing'
    )
ORDER BY pending.device_id
"""

LEARN = """
UPDATE sweep_pending
SET since = coalesce(found.last_good, sweep_pending.since), dismissed = found.last_good IS NULL
FROM unnest($2::int [], $3::timestamptz []) AS found (device_id, last_good)
WHERE sweep_pending.rule = $1 AND sweep_pending.device_id = found.device_id
"""

REFRESHED = """
SELECT alert.device_id, alert.rule_version, alert.severity, good.observed_at, good.received_at
FROM alert
CROSS JOIN LATERAL (
    SELECT reading.observed_at, reading.received_at FROM {table} AS reading
    WHERE reading.device_id = alert.device_id AND reading.{measurement} IS NOT NULL
        AND (reading.quality >> {bit}) & 1 = 0 AND reading.observed_at > alert.opened_at
    ORDER BY reading.observed_at LIMIT 1
) AS good
WHERE alert.rule = $1 AND alert.state = 'firing'
ORDER BY alert.device_id
"""


async def sweep(connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve alerts of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, NotRefreshed)
    assert rule.definition.kind is not None
    kind = kinds[rule.definition.kind]
    bit = kind.measurement(family.measurement).bit
    named = {"table": table_name(kind.name), "measurement": family.measurement, "bit": bit}
    made = await _end(connection, rule, moment, REFRESHED.format(**named))
    if moment.caught_up_at is None:
        return made
    await connection.execute(FORGET, rule.id, family.measurement, bit)
    await connection.execute(SUSPECT, rule.id, family.measurement, bit, kind.name)
    return made + await _begin(connection, rule, family, moment, OVERDUE.format(**named))


async def _end(connection: Connection, rule: Rule, moment: SweepContext, query: str) -> int:
    rows = await connection.fetch(query, rule.id)
    endings = [
        EndedAlert(
            device_id=row["device_id"],
            rule=rule.id,
            version=row["rule_version"],
            severity=Severity(row["severity"]),
            observed_at=to_microseconds(row["observed_at"]),
            received_at=to_microseconds(row["received_at"]),
            condition="a value was received",
        )
        for row in rows
        if not moment.rests(row["device_id"])
    ]
    return await end(connection, endings, moment.now)


async def _begin(
    connection: Connection, rule: Rule, family: NotRefreshed, moment: SweepContext, query: str
) -> int:
    until = to_datetime(moment.received_until)
    rows = await connection.fetch(
        query, rule.id, until, family.missing, family.at_least_us / 1e6, LOOK_BACK_DAYS
    )
    rows = [row for row in rows if not moment.rests(row["device_id"])]
    if not rows:
        return 0
    await connection.execute(
        LEARN, rule.id, *zip(*((r["device_id"], r["last_good"]) for r in rows), strict=True)
    )
    known = [row for row in rows if row["last_good"] is not None]
    return await begin(connection, rule, _findings(family, known, moment), moment.now)


def _findings(family: NotRefreshed, rows: Sequence[asyncpg.Record], moment: SweepContext) -> list[NewAlert]:
    """Return what is wrong; nothing where the stored readings know a value that is new enough."""
    last_good, received_at = _instants(rows, "last_good"), _instants(rows, "received_at")
    interval_us = np.array([r["interval_s"] * 1e6 for r in rows], dtype=np.float64).astype(np.int64)
    patience_us = not_refreshed.patience_us(family, interval_us)
    good = LastGoodValues(observed_at=last_good, received_at=_instants(rows, "good_received"))
    overdue = not_refreshed.is_overdue(family, good, received_at, interval_us, moment.received_until)
    since = not_refreshed.alert_from(last_good, _instants(rows, "first_bad"), patience_us)
    return [
        _finding(family, rows[i], int(patience_us[i]), int(since[i]), moment.now)
        for i in np.flatnonzero(overdue).tolist()
    ]


def _instants(rows: Sequence[asyncpg.Record], name: str) -> NDArray[np.int64]:
    """Return a column in microseconds; where there is none, the last good value's."""
    return np.array([to_microseconds(r[name] or r["last_good"]) for r in rows], dtype=np.int64)


def _finding(family: NotRefreshed, row: asyncpg.Record, patience_us: int, since: int, now: int) -> NewAlert:
    last_good = to_microseconds(row["last_good"])
    return NewAlert(
        device_id=row["device_id"],
        severity=family.severity,
        observed_at=since,
        received_at=to_microseconds(row["received_at"]),
        evidence={
            "condition": f"no good {family.measurement} for {patience_us / 3600e6:g} h",
            "since": row["last_good"].isoformat(),
            "values": {"missing_h": round((now - last_good) / 3600e6, 1)},
            "limits": {"interval_s": row["interval_s"], "missing": family.missing},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )
