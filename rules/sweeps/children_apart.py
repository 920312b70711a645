"""Children apart: several of what hangs on a circuit measure too little, or too much. One incident, on it.

Here is how values are read from tables and suspicions kept; which parents these are is for
`core.children_apart` to say. Since when is kept in sweep_pending, so a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from rules.context.attributes import as_numbers
from rules.definition.families import ChildrenApart
from rules.language.program import Rule
from rules.sweeps.core import children_apart
from rules.sweeps.core.children_apart import ApartIncident, ChildValues
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

NAMED = 20
"""How many children an alert's evidence names."""

# Values older than two intervals say nothing of now; where most are so old, nothing is known of the circuit.
VALUES = """
SELECT device.id, hangs_on.parent_id, device.name, device.attributes, latest.received_at,
    (latest.measurements ->> $3)::float8 AS value,
    latest.received_at + latest.interval_s * interval '2 seconds' > $5::timestamptz AS fresh
FROM device AS parent
INNER JOIN hangs_on ON parent.id = hangs_on.parent_id
INNER JOIN device ON hangs_on.device_id = device.id
INNER JOIN latest ON device.id = latest.device_id AND latest.received_at >= device.installed_at
WHERE parent.kind = $1 AND parent.retired_at IS NULL AND parent.installed_at IS NOT NULL
    AND device.kind = $2 AND device.retired_at IS NULL
    AND latest.measurements ? $3 AND (latest.quality >> $4::int) & 1 = 0
ORDER BY hangs_on.parent_id, device.name
"""

# $2: parents that are judged now. Of the others nothing is known, and nothing changes.
FORGET = """
DELETE FROM sweep_pending
WHERE rule = $1 AND device_id = ANY($2::int []) AND NOT device_id = ANY($3::int [])
"""

SUSPECT = """
INSERT INTO sweep_pending (rule, device_id, since)
SELECT $1, device_id, $3 FROM unnest($2::int []) AS off (device_id)
ON CONFLICT (rule, device_id) DO NOTHING
"""

SINCE = """
SELECT device.id, pending.since, alert.rule_version, alert.severity,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
LEFT JOIN sweep_pending AS pending ON pending.rule = $1 AND device.id = pending.device_id
LEFT JOIN alert ON alert.rule = $1 AND device.id = alert.device_id AND alert.state = 'firing'
WHERE device.id = ANY($2::int [])
"""


async def sweep(connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve incidents of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, ChildrenApart)
    if moment.caught_up_at is None:
        return 0
    kind = kinds[family.of]
    bit = kind.measurement(family.measurement).bit
    until = to_datetime(moment.received_until)
    found = await connection.fetch(VALUES, rule.definition.kind, family.of, family.measurement, bit, until)
    rows = [
        row for row in _heard(found) if not moment.rests(row["id"]) and not moment.rests(row["parent_id"])
    ]
    if not rows:
        return 0
    children = _columns(rows, family, kind)
    judged = sorted(set(children.parent.tolist()))
    stays = [i.parent for i in children_apart.find_apart(family, children, stays=True)]
    begun = children_apart.find_apart(family, children)
    await connection.execute(FORGET, rule.id, judged, stays)
    await connection.execute(SUSPECT, rule.id, [i.parent for i in begun], to_datetime(moment.now))
    parents = {r["id"]: r for r in await connection.fetch(SINCE, rule.id, judged)}
    made = await end(connection, _endings(rule, parents, set(stays), moment), moment.now)
    lasted = [i for i in begun if _has_lasted(parents[i.parent], family, moment)]
    findings = [_finding(family, rows, i, parents[i.parent]) for i in lasted]
    return made + await begin(connection, rule, findings, moment.now)


def _heard(rows: Sequence[asyncpg.Record]) -> list[asyncpg.Record]:
    """Return the children that were heard lately, of parents of which enough were."""
    parent = np.array([r["parent_id"] for r in rows], dtype=np.int64)
    fresh = np.array([r["fresh"] for r in rows], dtype=bool)
    return [rows[i] for i in np.flatnonzero(fresh & children_apart.is_heard(parent, fresh)).tolist()]


def _has_lasted(parent: asyncpg.Record, family: ChildrenApart, moment: SweepContext) -> bool:
    is_open = parent["rule_version"] is not None
    return not is_open and to_microseconds(parent["since"]) + family.lasting_us <= moment.now


def _columns(rows: Sequence[asyncpg.Record], family: ChildrenApart, kind: Kind) -> ChildValues:
    parent = np.array([r["parent_id"] for r in rows], dtype=np.int64)
    said = np.array([r["attributes"].get(family.group or "") for r in rows], dtype=object)
    default = next((a.default for a in kind.attributes if a.name == family.nominal), None)
    return ChildValues(
        parent=parent,
        group=children_apart.numbered(parent, said),
        value=np.array([r["value"] for r in rows], dtype=np.float64),
        nominal=as_numbers(r["attributes"].get(family.nominal or "", default) for r in rows),
    )


def _finding(
    family: ChildrenApart, rows: Sequence[asyncpg.Record], incident: ApartIncident, parent: asyncpg.Record
) -> NewAlert:
    since = to_microseconds(parent["since"])
    off = [rows[row] for row in incident.apart]
    return NewAlert(
        device_id=incident.parent,
        severity=family.severity,
        observed_at=since + family.lasting_us,
        received_at=max(to_microseconds(row["received_at"]) for row in off),
        evidence={
            "condition": f"{family.measurement} of several {family.of} far off together",
            "since": to_datetime(since).isoformat(),
            "values": {
                "children": incident.children,
                "apart": len(off),
                "value": round(incident.value, 2),
                "median": round(incident.median, 2),
            },
            "limits": {"off_by": family.minimum},
            "devices": [row["name"] for row in off[:NAMED]],
        },
        names={"device": parent["title"], "municipality": parent["municipality"]},
    )


def _endings(
    rule: Rule, parents: Mapping[int, asyncpg.Record], stays: set[int], moment: SweepContext
) -> list[EndedAlert]:
    return [
        EndedAlert(
            device_id=device,
            rule=rule.id,
            version=parent["rule_version"],
            severity=Severity(parent["severity"]),
            observed_at=moment.now,
            received_at=moment.now,
            condition="its devices are within limits again",
        )
        for device, parent in parents.items()
        if parent["rule_version"] is not None and device not in stays
    ]
