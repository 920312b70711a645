"""Children down: most of what hangs on a circuit went dark or silent together. One incident, on the circuit.

A child is silent when the broker saw its connection end, or when it is overdue; dark by its newest reading.
Here is how children are read from tables and incidents kept; who is down is for `core.children_down` to say.
Stateless but for the open alert, so any process may begin, continue or end an incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np

from alerts.transition import Severity
from devices.instants import to_datetime, to_microseconds
from devices.kinds.kind import Kind
from rules.context.attributes import as_numbers
from rules.definition.families import ANY_KIND, ChildrenDown, Comparison
from rules.language.program import Rule
from rules.sweeps.core import children_down
from rules.sweeps.core.children_down import Children, Incident, OpenIncident
from rules.sweeps.core.instants import NEVER
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

NAMED = 20
"""How many children an alert's evidence names."""

# $1 up to when ingest has received, $2 kind of the parents, $3 kind of the children, $4 intervals that are
# silence, $5 rule, $6 how many must at least be down. `suspected` only narrows what is read to parents that
# may be down and those with an open incident. A device that connected again lives, though by day it may have
# nothing to report for hours.
CHILDREN = """
WITH child AS (
    SELECT device.id, hangs_on.parent_id, hangs_on.alone, device.name, latest.received_at, latest.interval_s,
        latest.quality, latest.measurements, device.attributes,
        greatest(latest.received_at, CASE WHEN presence.online THEN presence.changed_at END) AS seen_at,
        CASE WHEN presence.online IS FALSE AND presence.changed_at >= latest.received_at
            THEN presence.changed_at END AS disconnected_at
    FROM device AS parent
    INNER JOIN hangs_on ON parent.id = hangs_on.parent_id
    INNER JOIN device ON hangs_on.device_id = device.id
    INNER JOIN latest ON device.id = latest.device_id AND latest.received_at >= device.installed_at
    LEFT JOIN presence ON device.id = presence.device_id
    WHERE parent.kind = $2 AND parent.retired_at IS NULL AND parent.installed_at IS NOT NULL
        AND $3 IN (device.kind, 'any') AND device.retired_at IS NULL
),

suspected AS (
    SELECT parent_id FROM child
    WHERE disconnected_at IS NOT NULL
        OR seen_at + interval_s * $4::float8 * interval '1 second' < $1::timestamptz
        OR {dark}
    GROUP BY parent_id HAVING count(*) >= $6::float8
    UNION
    SELECT device_id FROM alert WHERE rule = $5 AND state = 'firing'
)

SELECT child.id, child.parent_id, child.alone, child.name, child.received_at, child.interval_s, child.seen_at,
    child.disconnected_at, child.attributes, {values},
    EXISTS (
        SELECT FROM alert
        WHERE alert.device_id = child.id AND alert.state = 'firing'
            AND alert.opened_at < $1 - child.interval_s * interval '2 seconds'
            AND alert.rule IN (
                SELECT id FROM rule WHERE active AND $5 = ANY(suppress_by) AND $3 IN (kind, 'any')
                    AND kind IS NOT NULL
            )
    ) AS failed_before
FROM child
INNER JOIN suspected ON child.parent_id = suspected.parent_id
ORDER BY child.parent_id, child.name
"""

PARENTS = "SELECT EXISTS (SELECT FROM device WHERE kind = $1)"

OPEN_INCIDENTS = """
SELECT device_id, rule_version, severity, opened_at,
    coalesce((evidence -> 'values' ->> 'children')::int, 0) AS children,
    coalesce(
        (evidence -> 'values' ->> 'dark')::int > (evidence -> 'values' ->> 'silent')::int, false
    ) AS dark
FROM alert
WHERE rule = $1 AND state = 'firing'
ORDER BY id
"""

TITLES = """
SELECT device.id, coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE device.id = ANY($1::int [])
"""


async def sweep(connection: Connection, rule: Rule, moment: SweepContext, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve incidents of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, ChildrenDown)
    if moment.caught_up_at is None or not await connection.fetchval(PARENTS, rule.definition.kind):
        return 0
    # Of children of any kind nothing that they measure is asked.
    kind = next(iter(kinds.values())) if family.of == ANY_KIND else kinds[family.of]
    rows = await _children(connection, rule, family, moment, kind)
    children = _columns(rows, family, kind)
    open_alerts = [
        row for row in await connection.fetch(OPEN_INCIDENTS, rule.id) if not moment.rests(row["device_id"])
    ]
    made = await _end(connection, rule, family, children, open_alerts, moment)
    still_open = {row["device_id"] for row in open_alerts}
    caught_up_at = to_microseconds(moment.caught_up_at)
    begun = children_down.find_begun(children, family, moment.received_until, caught_up_at)
    new = [incident for incident in begun if incident.parent not in still_open]
    return made + await _begin(connection, rule, family, rows, new, moment.now)


async def _children(
    connection: Connection, rule: Rule, family: ChildrenDown, moment: SweepContext, kind: Kind
) -> list[asyncpg.Record]:
    """Return the children of parents that may be down, of those that are not being worked on."""
    query = CHILDREN.format(dark=_dark(kind, family.dark), values=_values(kind, (*family.dark, *family.lit)))
    rows = await connection.fetch(
        query,
        to_datetime(moment.received_until),
        rule.definition.kind,
        family.of,
        family.missing,
        rule.id,
        family.at_least * family.share,
    )
    parent = np.array([r["parent_id"] for r in rows], dtype=np.int64)
    alone = np.array([r["alone"] for r in rows], dtype=bool)
    telling = children_down.tells_of_parent(parent, alone, family.at_least)
    return [
        row
        for row, tells in zip(rows, telling.tolist(), strict=True)
        if tells and not moment.rests(row["id"]) and not moment.rests(row["parent_id"])
    ]


def _columns(rows: Sequence[asyncpg.Record], family: ChildrenDown, kind: Kind) -> Children:
    def instants(name: str) -> children_down.Ints:
        found = [NEVER if r[name] is None else to_microseconds(r[name]) for r in rows]
        return np.array(found, dtype=np.int64)

    def truth(comparisons: Sequence[Comparison], otherwise: bool) -> children_down.Bools:
        if not comparisons:
            return np.full(len(rows), otherwise)
        known = children_down.knowing(
            kind,
            lambda name: np.array([r[f"{name}_now"] for r in rows], dtype=np.float64),
            lambda name: as_numbers(r["attributes"].get(name) for r in rows),
        )
        return children_down.all_hold(comparisons, kind, known)

    return Children(
        parent=np.array([r["parent_id"] for r in rows], dtype=np.int64),
        received_at=instants("received_at"),
        seen_at=instants("seen_at"),
        interval_us=np.array([r["interval_s"] * 1e6 for r in rows], dtype=np.float64).astype(np.int64),
        disconnected_at=instants("disconnected_at"),
        dark=truth(family.dark, otherwise=False),
        lit=truth(family.lit, otherwise=True),
        failed_before=np.array([r["failed_before"] for r in rows], dtype=bool),
    )


async def _begin(
    connection: Connection,
    rule: Rule,
    family: ChildrenDown,
    rows: Sequence[asyncpg.Record],
    incidents: Sequence[Incident],
    now: int,
) -> int:
    if not incidents:
        return 0
    titles = {r["id"]: r for r in await connection.fetch(TITLES, [i.parent for i in incidents])}
    findings = [_finding(family, rows, i, titles[i.parent], now) for i in incidents]
    return await begin(connection, rule, findings, now)


def _finding(
    family: ChildrenDown, rows: Sequence[asyncpg.Record], incident: Incident, title: asyncpg.Record, now: int
) -> NewAlert:
    counts = {"children": incident.children, "silent": incident.silent, "dark": incident.dark}
    return NewAlert(
        device_id=incident.parent,
        severity=family.severity,
        observed_at=now,
        received_at=incident.received_at,
        evidence={
            "condition": f"{family.share:.0%} of {family.of} dark or silent",
            "since": to_datetime(incident.since).isoformat(),
            "values": {**counts, "down": incident.silent + incident.dark},
            "limits": {"share": family.share},
            "devices": [rows[row]["name"] for row in incident.down[:NAMED]],
        },
        names={"device": title["title"], "municipality": title["municipality"]},
    )


async def _end(
    connection: Connection,
    rule: Rule,
    family: ChildrenDown,
    children: Children,
    alerts: Sequence[asyncpg.Record],
    moment: SweepContext,
) -> int:
    """Close incidents in which so many children are up again that the share that is down is no longer one."""
    opened = {row["device_id"]: row for row in alerts}
    incidents = [
        OpenIncident(
            parent=row["device_id"],
            opened_at=to_microseconds(row["opened_at"]),
            children=row["children"],
            dark=row["dark"],
        )
        for row in alerts
    ]
    endings = [
        EndedAlert(
            device_id=incident.parent,
            rule=rule.id,
            version=opened[incident.parent]["rule_version"],
            severity=Severity(opened[incident.parent]["severity"]),
            observed_at=moment.now,
            received_at=moment.now,
            condition=f"{up} of {incident.children} are back",
        )
        for incident, up in children_down.find_ended(children, incidents, family, moment.received_until)
    ]
    return await end(connection, endings, moment.now)


def _dark(kind: Kind, comparisons: Sequence[Comparison]) -> str:
    """Return SQL that tells whether a child may be dark by its newest reading.

    Names, operators and numbers were checked when the rule was read; they cannot be parameters.
    """
    parts = [
        f"{_value(kind, c.measurement)} {c.operator} {' * '.join([repr(c.value), *_factors(kind, c)])}"
        for c in comparisons
    ]
    return f"coalesce({' AND '.join(parts)}, false)" if parts else "false"


def _factors(kind: Kind, comparison: Comparison) -> list[str]:
    measured = {m.name for m in kind.measurements}
    return [_value(kind, n) if n in measured else _attribute(kind, n) for n in comparison.factors]


def _values(kind: Kind, comparisons: Sequence[Comparison]) -> str:
    measured = {m.name for m in kind.measurements}
    named = {n: _value(kind, n) for c in comparisons for n in c.names if n in measured}
    return ", ".join(f"{value} AS {name}_now" for name, value in named.items()) or "NULL AS nothing_now"


def _attribute(kind: Kind, name: str) -> str:
    """Return SQL for a numeric attribute, the kind's default where the device has none."""
    default = next((a.default for a in kind.attributes if a.name == name), None)
    otherwise = repr(float(default)) if isinstance(default, int | float) else "NULL"
    return (
        f"CASE WHEN jsonb_typeof(child.attributes -> '{name}') = 'number'"
        f" THEN (child.attributes ->> '{name}')::float8 ELSE {otherwise} END"
    )


def _value(kind: Kind, measurement: str) -> str:
    """Return SQL for the newest value of a measurement, NULL where it is missing or suspect."""
    bit = 1 << kind.measurement(measurement).bit
    return f"CASE WHEN child.quality & {bit} = 0 THEN (child.measurements ->> '{measurement}')::float8 END"
