"""Children down: most of what hangs on a circuit went dark or silent together. One incident, on the circuit.

A child is silent when the broker saw its connection end, or when it is overdue; dark by its newest reading.
Those that were down long before do not count, neither as down nor as standing: a circuit does not fail lamp
by lamp over a year. Stateless but for the open alert, so any process may begin, continue or end an incident.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from rules.families import ChildrenDown, Comparison
from rules.incidents import Ending, Finding, Moment, begin, end
from rules.program import Rule
from rules.transition import Severity
from store.connection import Connection

NAMED = 20
"""How many children an alert's evidence names."""

# A device that connected again lives, though by day it may have nothing to report for hours.
HEARD_AT = (
    "SELECT greatest(latest.received_at, CASE WHEN presence.online THEN presence.changed_at END) AS heard_at"
)

# $1 now, $2 caught up since, $3 kind of the parents, $4 kind of the children, $5 intervals that are silence,
# $6 how far apart the ends may lie (s), $7 rule, $8 share, $9 children at least, $10 how many to name.
# A child whose end does not lie near the newest sign of life among the fallen fell before them.
BEGUN = """
WITH child AS (
    SELECT device.parent_id, device.name, latest.received_at, latest.interval_s, sign.heard_at,
        sign.heard_at + latest.interval_s * $5::float8 * interval '1 second' < $1::timestamptz
            AND $2::timestamptz + latest.interval_s * $5::float8 * interval '1 second' < $1 AS overdue,
        presence.online IS FALSE AND presence.changed_at >= latest.received_at
            AND presence.changed_at < $1 - interval '1 minute'
            AND $2 + $6::float8 * interval '1 second' < $1 AS gone,
        {dark} AS dark,
        EXISTS (
            SELECT FROM alert
            WHERE alert.device_id = device.id AND alert.state = 'firing'
                AND alert.opened_at < $1 - latest.interval_s * interval '2 seconds'
                AND alert.rule IN (
                    SELECT id FROM rule WHERE active AND definition -> 'suppress_by' ? $7 AND kind = $4
                )
        ) AS failed_before
    FROM device AS parent
    INNER JOIN device ON parent.id = device.parent_id
    INNER JOIN latest ON device.id = latest.device_id
    LEFT JOIN presence ON device.id = presence.device_id
    CROSS JOIN LATERAL ({heard_at}) AS sign
    WHERE parent.kind = $3 AND parent.retired_at IS NULL AND device.kind = $4 AND device.retired_at IS NULL
),

fallen AS (
    SELECT *, overdue OR gone AS silent,
        max(heard_at) FILTER (WHERE overdue OR gone) OVER (PARTITION BY parent_id) AS last_heard
    FROM child
),

counted AS (
    SELECT *,
        silent AND heard_at + (interval_s + $6) * interval '1 second' >= last_heard AS silenced,
        dark AND NOT silent AND NOT failed_before AS darkened
    FROM fallen
),

circuit AS (
    SELECT parent_id,
        count(*) FILTER (WHERE silenced OR darkened OR NOT (silent OR dark)) AS children,
        count(*) FILTER (WHERE silenced) AS silent,
        count(*) FILTER (WHERE darkened) AS dark,
        max(last_heard) AS last_heard,
        min(received_at) FILTER (WHERE darkened) AS first_dark,
        max(received_at) AS received_at,
        (array_agg(name ORDER BY name) FILTER (WHERE silenced OR darkened))[:$10] AS names
    FROM counted
    GROUP BY parent_id
)

SELECT circuit.*, coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM circuit
INNER JOIN device ON circuit.parent_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE circuit.children >= $9::int AND circuit.silent + circuit.dark >= circuit.children * $8::float8
    AND NOT EXISTS (
        SELECT FROM alert
        WHERE alert.rule = $7 AND alert.device_id = circuit.parent_id AND alert.state = 'firing'
    )
ORDER BY circuit.parent_id
"""

# $1 now, $2 rule, $3 kind of the children, $4 intervals that are silence. `standing`: heard after it began,
# connected, not overdue, not dark, and lit where the incident was one of darkness.
OPEN_INCIDENTS = """
SELECT alert.device_id, alert.rule_version, alert.severity,
    coalesce((alert.evidence -> 'values' ->> 'children')::int, 0) AS children,
    count(latest.device_id) AS present,
    count(*) FILTER (
        WHERE sign.heard_at > alert.opened_at
            AND sign.heard_at + latest.interval_s * $4::float8 * interval '1 second' >= $1::timestamptz
            AND NOT (presence.online IS FALSE AND presence.changed_at >= latest.received_at)
            AND NOT {dark}
            AND (
                coalesce((alert.evidence -> 'values' ->> 'dark')::int, 0)
                    <= coalesce((alert.evidence -> 'values' ->> 'silent')::int, 0)
                OR {lit}
            )
    ) AS standing
FROM alert
LEFT JOIN device ON alert.device_id = device.parent_id AND device.kind = $3 AND device.retired_at IS NULL
LEFT JOIN latest ON device.id = latest.device_id
LEFT JOIN presence ON device.id = presence.device_id
CROSS JOIN LATERAL ({heard_at}) AS sign
WHERE alert.rule = $2 AND alert.state = 'firing'
GROUP BY alert.id
ORDER BY alert.id
"""


async def sweep(connection: Connection, rule: Rule, moment: Moment, kinds: Mapping[str, Kind]) -> int:
    """Open and resolve incidents of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, ChildrenDown)
    if moment.caught_up_at is None:
        return 0
    ended = await _end(connection, rule, family, moment, kinds[family.of])
    return ended + await _begin(connection, rule, family, moment, kinds[family.of])


async def _begin(connection: Connection, rule: Rule, family: ChildrenDown, moment: Moment, kind: Kind) -> int:
    rows = await connection.fetch(
        BEGUN.format(heard_at=HEARD_AT, dark=_all_hold(kind, family.dark, "false")),
        moment.at,
        moment.caught_up_at,
        rule.definition.kind,
        family.of,
        family.missing,
        family.within_us / 1e6,
        rule.id,
        family.share,
        family.at_least,
        NAMED,
    )
    return await begin(connection, rule, [_finding(family, row, moment.now) for row in rows], moment.now)


def _finding(family: ChildrenDown, row: asyncpg.Record, now: int) -> Finding:
    since = row["last_heard"] or row["first_dark"]
    values = {name: row[name] for name in ("children", "silent", "dark")}
    return Finding(
        device_id=row["parent_id"],
        severity=family.severity,
        observed_at=now,
        received_at=to_microseconds(row["received_at"]),
        evidence={
            "condition": f"{family.share:.0%} of {family.of} dark or silent",
            "since": since.isoformat(),
            "values": {**values, "down": row["silent"] + row["dark"]},
            "limits": {"share": family.share},
            "devices": row["names"],
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )


async def _end(connection: Connection, rule: Rule, family: ChildrenDown, moment: Moment, kind: Kind) -> int:
    """Close incidents in which so many children stand again that the share that is down is no longer one."""
    query = OPEN_INCIDENTS.format(
        heard_at=HEARD_AT, dark=_all_hold(kind, family.dark, "false"), lit=_all_hold(kind, family.lit, "true")
    )
    rows = await connection.fetch(query, moment.at, rule.id, family.of, family.missing)
    endings = [
        Ending(
            device_id=row["device_id"],
            rule=rule.id,
            version=row["rule_version"],
            severity=Severity(row["severity"]),
            observed_at=moment.now,
            received_at=moment.now,
            condition=f"{row['standing']} of {row['children']} are back",
        )
        for row in rows
        # A child moved elsewhere, or retired, is nobody's to wait for.
        if row["standing"] >= min(row["children"], row["present"]) * (1 - family.clear)
    ]
    return await end(connection, endings, moment.now)


def _all_hold(kind: Kind, comparisons: Sequence[Comparison], otherwise: str) -> str:
    """Return SQL that tells whether all comparisons hold for the newest reading; suspect values never do.

    Names, operators and numbers were checked when the rule was read; they cannot be parameters.
    """
    if not comparisons:
        return otherwise
    bits = sum(1 << kind.measurement(c.measurement).bit for c in comparisons)
    parts = [
        f"(latest.measurements ->> '{c.measurement}')::float8 {c.operator} {c.value!r}" for c in comparisons
    ]
    return f"coalesce({' AND '.join(parts)} AND latest.quality & {bits} = 0, false)"
