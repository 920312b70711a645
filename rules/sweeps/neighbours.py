"""Neighbours: a value far from the median of what stands around the device, for so long.

Here is how values are read from tables and suspicions kept; who is far is for `core.neighbours` to say. Since
when a device has been far is kept in sweep_pending, so a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from rules.definition.families import Neighbours
from rules.language.program import Rule
from rules.sweeps.core import neighbours
from rules.sweeps.core.instants import NEVER
from rules.sweeps.core.neighbours import NeighbourValues, NeighbourVerdict
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

# Values older than two intervals say nothing about now.
VALUES = """
SELECT latest.device_id, coalesce(
        device.parent_id, (SELECT min(relay.gateway_id) FROM relay WHERE relay.device_id = device.id), -1
    ) AS parent_id, device.lat, device.lon,
    (latest.measurements ->> $2)::float8 AS value, latest.observed_at, latest.received_at,
    pending.since, alert.rule_version AS open_version, alert.severity AS open_severity
FROM latest
INNER JOIN device ON latest.device_id = device.id
LEFT JOIN sweep_pending AS pending ON pending.rule = $5 AND latest.device_id = pending.device_id
LEFT JOIN alert ON alert.rule = $5 AND latest.device_id = alert.device_id AND alert.state = 'firing'
WHERE device.kind = $1 AND device.retired_at IS NULL AND latest.received_at >= device.installed_at
    AND latest.measurements ? $2 AND (latest.quality >> $3::int) & 1 = 0
    AND latest.received_at + latest.interval_s * interval '2 seconds' > $4::timestamptz
ORDER BY latest.device_id
"""

FORGET = """
DELETE FROM sweep_pending
WHERE rule = $1 AND NOT device_id = ANY($2::int [])
"""

SUSPECT = """
INSERT INTO sweep_pending (rule, device_id, since)
SELECT $1, device_id, since FROM unnest($2::int [], $3::timestamptz []) AS off (device_id, since)
ON CONFLICT (rule, device_id) DO NOTHING
"""

TITLES = """
SELECT device.id, coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.id = ANY($1::int [])
"""


async def sweep(connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve alerts of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, Neighbours)
    assert rule.definition.kind is not None
    if moment.caught_up_at is None:
        return 0
    kind = kinds[rule.definition.kind]
    measurement = kind.measurement(family.measurement)
    until = to_datetime(moment.received_until)
    found = await connection.fetch(VALUES, kind.name, family.measurement, measurement.bit, until, rule.id)
    rows = [row for row in found if not moment.rests(row["device_id"])]
    if not rows:
        return 0
    parent = np.array([r["parent_id"] for r in rows], dtype=np.int64)
    near = neighbours.neighbours_of(family, parent, _numbers(rows, "lat"), _numbers(rows, "lon"))
    verdict = neighbours.judge(family, measurement, _columns(rows), near)
    await _remember(connection, rule, rows, verdict)
    made = await _end(connection, rule, rows, verdict, moment.now)
    return made + await _begin(connection, rule, family, rows, verdict, moment.now)


def _columns(rows: Sequence[asyncpg.Record]) -> NeighbourValues:
    since = [NEVER if r["since"] is None else to_microseconds(r["since"]) for r in rows]
    return NeighbourValues(
        value=_numbers(rows, "value"),
        observed_at=np.array([to_microseconds(r["observed_at"]) for r in rows], dtype=np.int64),
        since=np.array(since, dtype=np.int64),
        is_open=np.array([r["open_version"] is not None for r in rows], dtype=bool),
    )


def _numbers(rows: Sequence[asyncpg.Record], name: str) -> neighbours.Floats:
    return np.array([r[name] for r in rows], dtype=np.float64)


async def _remember(
    connection: Connection, rule: Rule, rows: Sequence[asyncpg.Record], verdict: NeighbourVerdict
) -> None:
    suspects = np.flatnonzero(verdict.since > NEVER).tolist()
    devices = [rows[i]["device_id"] for i in suspects]
    await connection.execute(FORGET, rule.id, devices)
    since = [to_datetime(int(verdict.since[i])) for i in suspects]
    await connection.execute(SUSPECT, rule.id, devices, since)


async def _begin(
    connection: Connection,
    rule: Rule,
    family: Neighbours,
    rows: Sequence[asyncpg.Record],
    verdict: NeighbourVerdict,
    now: int,
) -> int:
    places = np.flatnonzero(verdict.begins).tolist()
    if not places:
        return 0
    asked = [rows[place]["device_id"] for place in places]
    titles = {r["id"]: r for r in await connection.fetch(TITLES, asked)}
    findings = [
        _finding(family, rows[place], titles[rows[place]["device_id"]], verdict, place) for place in places
    ]
    return await begin(connection, rule, findings, now)


def _finding(
    family: Neighbours, row: asyncpg.Record, title: asyncpg.Record, verdict: NeighbourVerdict, place: int
) -> NewAlert:
    since = int(verdict.since[place])
    return NewAlert(
        device_id=row["device_id"],
        severity=family.severity,
        observed_at=since + family.lasting_us,
        received_at=to_microseconds(row["received_at"]),
        evidence={
            "condition": f"{family.measurement} far from its neighbours' median",
            "since": to_datetime(since).isoformat(),
            "values": {
                "value": round(row["value"], 2),
                "median": round(float(verdict.around.median[place]), 2),
                "neighbours": int(verdict.around.neighbours[place]),
            },
            "limits": {"off_by": round(float(verdict.limit[place]), 2)},
        },
        names={"device": title["title"], "municipality": title["municipality"]},
    )


async def _end(
    connection: Connection, rule: Rule, rows: Sequence[asyncpg.Record], verdict: NeighbourVerdict, now: int
) -> int:
    endings = [
        EndedAlert(
            device_id=rows[place]["device_id"],
            rule=rule.id,
            version=rows[place]["open_version"],
            severity=Severity(rows[place]["open_severity"]),
            observed_at=to_microseconds(rows[place]["observed_at"]),
            received_at=to_microseconds(rows[place]["received_at"]),
            condition="near its neighbours' median again",
        )
        for place in np.flatnonzero(verdict.ends).tolist()
    ]
    return await end(connection, endings, now)
