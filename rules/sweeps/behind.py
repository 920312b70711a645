"""Behind: a device says that it runs other firmware than a rollout has brought to the others.

Wanted is the version of the last rollout that has ended well for its kind and municipality; a device that an
open rollout reaches is left to that, and so is one that a later one updated before it was cancelled. Who does
not say what it runs is left alone. Must not know how rollouts go on.
"""

from __future__ import annotations

import asyncpg

from alerts.transition import Severity
from devices.instants import to_microseconds
from rules.definition.families import Behind
from rules.language.program import Rule
from rules.sweeps.incidents import EndedAlert, NewAlert, SweepContext, begin, end
from store.connection import Connection

BEHIND = """
WITH wanted AS (
    SELECT DISTINCT ON (device.id) device.id AS device_id, image.version, rollout.ended_at,
        greatest(rollout.ended_at, device.installed_at) AS since
    FROM rollout
    INNER JOIN firmware_image AS image ON rollout.sha256 = image.sha256
    INNER JOIN device
        ON
            image.kind = device.kind
            AND (rollout.municipality_id IS NULL OR rollout.municipality_id = device.municipality_id)
    WHERE rollout.state = 'done' AND device.retired_at IS NULL AND device.installed_at IS NOT NULL
        AND ($1::text IS NULL OR device.kind = $1)
    ORDER BY device.id, rollout.ended_at DESC
)

SELECT wanted.device_id, wanted.version, wanted.since, config.firmware, config.reported_at,
    coalesce(nullif(device.title, ''), device.name) AS title, municipality.name AS municipality
FROM wanted
INNER JOIN device ON wanted.device_id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
INNER JOIN device_config AS config ON wanted.device_id = config.device_id
WHERE config.firmware <> wanted.version
    AND NOT EXISTS (
        SELECT FROM rollout_device AS reached
        INNER JOIN rollout ON reached.rollout_id = rollout.id
        WHERE reached.device_id = wanted.device_id
            AND (
                rollout.state IN ('running', 'paused', 'stopped')
                OR (reached.state = 'updated' AND rollout.started_at > wanted.ended_at)
            )
    )
ORDER BY wanted.device_id
"""

OPEN = """
SELECT alert.device_id, alert.rule_version, alert.severity FROM alert
WHERE alert.rule = $1 AND alert.state = 'firing'
ORDER BY alert.device_id
"""


async def sweep(connection: Connection, rule: Rule, moment: SweepContext) -> int:
    """Open and resolve alerts of one rule; return how many transitions that made."""
    family = rule.definition.sweep
    assert isinstance(family, Behind)
    behind = {row["device_id"]: row for row in await connection.fetch(BEHIND, rule.definition.kind)}
    already = await connection.fetch(OPEN, rule.id)
    endings = [
        EndedAlert(
            device_id=row["device_id"],
            rule=rule.id,
            version=row["rule_version"],
            severity=Severity(row["severity"]),
            observed_at=moment.now,
            received_at=moment.now,
            condition="it runs what is wanted, or is being updated",
        )
        for row in already
        if row["device_id"] not in behind and not moment.rests(row["device_id"])
    ]
    open_on = {row["device_id"] for row in already}
    begun = [
        _finding(family, row)
        for device, row in behind.items()
        if device not in open_on and _from(family, row) <= moment.now and not moment.rests(device)
    ]
    return await end(connection, endings, moment.now) + await begin(connection, rule, begun, moment.now)


def _from(family: Behind, row: asyncpg.Record) -> int:
    return to_microseconds(row["since"]) + family.lasting_us


def _finding(family: Behind, row: asyncpg.Record) -> NewAlert:
    return NewAlert(
        device_id=row["device_id"],
        severity=family.severity,
        observed_at=_from(family, row),
        received_at=max(_from(family, row), to_microseconds(row["reported_at"])),
        evidence={
            "condition": "it runs other firmware than is wanted",
            "since": row["since"].isoformat(),
            "values": {"firmware": row["firmware"], "wanted": row["version"]},
            "limits": {},
        },
        names={"device": row["title"], "municipality": row["municipality"]},
    )
