"""Counts for operators: how many alerts are open, how many rules are broken, when sweep rules looked last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerts.transition import Severity
from devices.instants import to_datetime
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCounts:
    """Counts of this moment. `waiting`: open alerts by severity that are not inhibited."""

    waiting: Mapping[Severity, int]
    inhibited: int
    unacknowledged: int
    active: int
    broken: int
    swept_at: datetime | None


_OPEN = """
SELECT
    severity, count(*) FILTER (WHERE inhibited_by IS NULL) AS waiting,
    count(*) FILTER (WHERE inhibited_by IS NULL AND acknowledged_at IS NULL) AS unacknowledged,
    count(*) FILTER (WHERE inhibited_by IS NOT NULL) AS inhibited
FROM alert
WHERE state = 'firing'
GROUP BY severity
"""
_RULES = "SELECT count(*) AS active, count(broken_at) AS broken FROM rule WHERE active"
_SWEPT = "SELECT swept_at FROM sweep_run"


async def watch(connection: Connection) -> RuleCounts:
    """Return the counts as they are now."""
    found = await connection.fetch(_OPEN)
    rules = await connection.fetchrow(_RULES)
    assert rules is not None
    waiting = {Severity(row["severity"]): row["waiting"] for row in found}
    return RuleCounts(
        waiting={severity: waiting.get(severity, 0) for severity in Severity},
        inhibited=sum(row["inhibited"] for row in found),
        unacknowledged=sum(row["unacknowledged"] for row in found),
        active=rules["active"],
        broken=rules["broken"],
        swept_at=await connection.fetchval(_SWEPT),
    )


_NOTE = """
INSERT INTO sweep_run (swept_at) VALUES ($1) ON CONFLICT (one) DO UPDATE SET swept_at = excluded.swept_at
"""


async def note_sweep(connection: Connection, now: int) -> None:
    """Store that sweep rules have looked."""
    await connection.execute(_NOTE, to_datetime(now))
