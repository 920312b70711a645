"""Neighbours: a value far from the median of what stands around the device, for so long.

One query for the newest good values of a kind, medians in numpy (rules.neighbourhood). Since when a device
has been off is kept in sweep_pending, so a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg
import numpy as np
from numpy.typing import NDArray

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from rules import neighbourhood
from rules.families import Neighbours
from rules.incidents import Ending, Finding, Moment, begin, end
from rules.neighbourhood import Usual
from rules.program import Rule
from rules.transition import Severity
from store.connection import Connection

STILL_OFF = 0.5
"""An alert ends when the value is nearer than this part of the limit."""

# Values older than two intervals say nothing about now.
VALUES = """
SELECT latest.device_id, coalesce(device.parent_id, -1) AS parent_id, device.municipality_id,
    device.lat, device.lon, (latest.measurements ->> $2)::float8 AS value,
    latest.observed_at, latest.received_at
FROM latest
INNER JOIN device ON latest.device_id = device.id
WHERE device.kind = $1 AND device.retired_at IS NULL
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

READY = """
SELECT pending.device_id, pending.since, coalesce(nullif(device.title, ''), device.name) AS title,
    municipality.name AS municipality
FROM sweep_pending AS pending
INNER JOIN device ON pending.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
INNER JOIN latest ON pending.device_id = latest.device_id
WHERE pending.rule = $1 AND latest.observed_at - pending.since >= $2::float8 * interval '1 second'
    AND NOT EXISTS (
        SELECT FROM alert
        WHERE alert.rule = $1 AND alert.device_id = pending.device_id AND alert.state = 'firing'
    )
ORDER BY pending.device_id
"""

OPEN_ALERTS = """
SELECT device_id, rule_version, severity FROM alert WHERE rule = $1 AND state = 'firing' ORDER BY device_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Values:
    """Newest good values of a kind, (n,) each, beside the rows they come from."""

    rows: Sequence[asyncpg.Record]
    device_id: NDArray[np.int64]
    value: NDArray[np.float64]
    usual: Usual
    off: NDArray[np.float64]

    def at(self, device_id: int) -> int | None:
        """Return the place of a device, None when it is not among them."""
        place = int(np.searchsorted(self.device_id, device_id))
        return place if place < len(self.device_id) and self.device_id[place] == device_id else None


async def sweep(connection: Connection, rule: Rule, moment: Moment, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve alerts of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, Neighbours)
    assert rule.definition.kind is not None
    if moment.caught_up_at is None:
        return 0
    kind = kinds[rule.definition.kind]
    bit = kind.measurement(family.measurement).bit
    rows = await connection.fetch(VALUES, kind.name, family.measurement, bit, moment.at)
    if not rows:
        return 0
    values = _judged(family, rows)
    far = np.flatnonzero(values.off >= 1)
    # The median may waver: whoever is off stays suspect until clearly back.
    near = {int(d) for d in values.device_id[values.off < STILL_OFF]}
    suspects = [int(d) for d in values.device_id[values.off >= STILL_OFF]]
    await connection.execute(FORGET, rule.id, suspects)
    since = [rows[i]["observed_at"] for i in far]
    await connection.execute(SUSPECT, rule.id, [int(d) for d in values.device_id[far]], since)
    made = await _end(connection, rule, values, near, moment.now)
    return made + await _begin(connection, rule, family, values, moment.now)


def _judged(family: Neighbours, rows: Sequence[asyncpg.Record]) -> _Values:
    """Return values with how far off each is: 1 is the limit, 0 also where there are too few neighbours."""
    value = np.array([r["value"] for r in rows], dtype=np.float64)
    if family.within_m is None:
        usual = neighbourhood.by_group(np.array([r["parent_id"] for r in rows], dtype=np.int64), value)
    else:
        lat = np.array([r["lat"] for r in rows], dtype=np.float64)
        lon = np.array([r["lon"] for r in rows], dtype=np.float64)
        usual = neighbourhood.by_distance(lat, lon, value, family.within_m)
    limit = np.maximum(family.off_by * usual.spread, family.minimum)
    enough = (usual.neighbours >= family.at_least) & np.isfinite(limit)
    distance = np.abs(value - usual.median)
    off = np.where(enough & (distance > 0), distance / np.where(limit > 0, limit, 1e-9), 0.0)
    return _Values(
        rows=rows,
        device_id=np.array([r["device_id"] for r in rows], dtype=np.int64),
        value=value,
        usual=usual,
        off=off,
    )


async def _begin(connection: Connection, rule: Rule, family: Neighbours, values: _Values, now: int) -> int:
    ready = await connection.fetch(READY, rule.id, family.lasting_us / 1e6)
    findings = []
    for row in ready:
        place = values.at(row["device_id"])
        if place is not None and values.off[place] >= 1:
            findings.append(_finding(family, row, values, place))
    return await begin(connection, rule, findings, now)


def _finding(family: Neighbours, row: asyncpg.Record, values: _Values, place: int) -> Finding:
    reading = values.rows[place]
    median, spread = float(values.usual.median[place]), float(values.usual.spread[place])
    return Finding(
        device_id=row["device_id"],
        severity=family.severity,
        observed_at=to_microseconds(row["since"]) + family.lasting_us,
        received_at=to_microseconds(reading["received_at"]),
        evidence={
            "condition": f"{family.measurement} far from its neighbours' median",
            "since": row["since"].isoformat(),
            "values": {
                "value": round(float(values.value[place]), 2),
                "median": round(median, 2),
                "neighbours": int(values.usual.neighbours[place]),
            },
            "limits": {"off_by": round(max(family.off_by * spread, family.minimum), 2)},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )


async def _end(connection: Connection, rule: Rule, values: _Values, near: set[int], now: int) -> int:
    endings = []
    for alert in await connection.fetch(OPEN_ALERTS, rule.id):
        place = values.at(alert["device_id"])
        if place is not None and alert["device_id"] in near:
            reading = values.rows[place]
            endings.append(
                Ending(
                    device_id=alert["device_id"],
                    rule=rule.id,
                    version=alert["rule_version"],
                    severity=Severity(alert["severity"]),
                    observed_at=to_microseconds(reading["observed_at"]),
                    received_at=to_microseconds(reading["received_at"]),
                    condition="near its neighbours' median again",
                )
            )
    return await end(connection, endings, now)
