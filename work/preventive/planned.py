"""Orders of preventive plans: made ahead of their day or count, one open order a plan and device.

An occurrence that comes while the order of the one before is still open is left out. Must not know who makes
plans.
"""

from __future__ import annotations

from datetime import date, timedelta

import asyncpg
import structlog

from alerts.transition import Severity
from devices.instants import to_datetime
from devices.registry.errors import RegistryError
from devices.time_zones import zone_named
from store.audit import PLATFORM
from store.connection import Connection
from work.assigning import Crew
from work.change import WorkStep
from work.order import WorkOrigin
from work.orders import NewOrder, make
from work.preventive.plan_times import last_until, next_count

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""So many orders are made in one round: plans of many devices take several."""

_PLANS = """
SELECT p.id, p.title, p.severity, p.every, p.unit, p.first_day, p.ahead, municipality.time_zone,
    team.name AS team
FROM work_plan AS p
INNER JOIN municipality ON p.municipality_id = municipality.id
LEFT JOIN team ON p.team_id = team.id
WHERE p.ended_at IS NULL
ORDER BY p.id
"""


async def make_planned(connection: Connection, now: int) -> list[int]:
    """Make the orders of plans that are due, and return their numbers.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    made: list[int] = []
    for plan in await connection.fetch(_PLANS):
        if plan["unit"] == "counter":
            made += await _by_count(connection, plan, now, AT_ONCE - len(made))
        else:
            made += await _by_day(connection, plan, now, AT_ONCE - len(made))
    return made


_DEVICES_OF_PLAN = """
FROM work_plan AS p
INNER JOIN device ON device.id = p.device_id OR (p.device_id IS NULL AND device.kind = p.kind)
LEFT JOIN work_plan_device AS known ON known.plan_id = p.id AND known.device_id = device.id
LEFT JOIN latest ON latest.device_id = device.id
WHERE p.id = $1 AND device.municipality_id = p.municipality_id AND device.retired_at IS NULL
    AND device.installed_at <= $2
"""
_OPEN = """
EXISTS (
    SELECT FROM work_order AS o
    WHERE o.plan_id = p.id AND o.device_id = device.id AND o.state NOT IN ('done', 'cancelled')
) AS is_open
"""
_DUE_BY_DAY = (
    "SELECT device.id, device.name, "
    + _OPEN
    + _DEVICES_OF_PLAN
    + """
    AND CASE WHEN known.made_for IS NULL THEN $3::date >= $4::date ELSE known.made_for < $3::date END
ORDER BY device.id
LIMIT $5
"""
)
_MADE_FOR = """
INSERT INTO work_plan_device (plan_id, device_id, made_for) VALUES ($1, $2, $3)
ON CONFLICT (plan_id, device_id) DO UPDATE SET made_for = excluded.made_for
"""


async def _by_day(connection: Connection, plan: asyncpg.Record, now: int, most: int) -> list[int]:
    today = to_datetime(now).astimezone(zone_named(plan["time_zone"])).date()
    until = today + timedelta(days=plan["ahead"])
    day = last_until(plan["first_day"], int(plan["every"]), plan["unit"], until)
    if day is None or most <= 0:
        return []
    rows = await connection.fetch(_DUE_BY_DAY, plan["id"], to_datetime(now), day, today, most)
    made = []
    for row in rows:
        order = None if row["is_open"] else await _make(connection, plan, row["name"], day, now)
        await connection.execute(_MADE_FOR, plan["id"], row["id"], day)
        made += [] if order is None else [order]
    return made


# A count far below what was looked for is that of a new counter.
_DUE_BY_COUNT = (
    """
SELECT device.id, device.name, known.due_at_count, counted.value, """
    + _OPEN
    + _DEVICES_OF_PLAN.replace(
        "WHERE",
        """CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(latest.measurements -> p.measurement) = 'number'
        THEN (latest.measurements ->> p.measurement)::double precision END AS value
) AS counted
WHERE""",
    )
    + """
    AND counted.value >= 0 AND (
        known.due_at_count IS NULL OR counted.value >= known.due_at_count - p.ahead
        OR counted.value < known.due_at_count - 2 * p.every
    )
ORDER BY device.id
LIMIT $3
"""
)
_DUE_AT = """
INSERT INTO work_plan_device (plan_id, device_id, due_at_count) VALUES ($1, $2, $3)
ON CONFLICT (plan_id, device_id) DO UPDATE SET due_at_count = excluded.due_at_count
"""


async def _by_count(connection: Connection, plan: asyncpg.Record, now: int, most: int) -> list[int]:
    if most <= 0:
        return []
    made = []
    every: float = plan["every"]
    for row in await connection.fetch(_DUE_BY_COUNT, plan["id"], to_datetime(now), most):
        due, value = row["due_at_count"], row["value"]
        following = next_count(every, value)
        if due is not None and value >= due - plan["ahead"]:
            order = None if row["is_open"] else await _make(connection, plan, row["name"], None, now)
            made += [] if order is None else [order]
            following = max(due + every, following)
        await connection.execute(_DUE_AT, plan["id"], row["id"], following)
    return made


async def _make(
    connection: Connection, plan: asyncpg.Record, device: str, day: date | None, now: int
) -> int | None:
    new = NewOrder(
        device=device,
        title=plan["title"],
        severity=Severity(plan["severity"]),
        origin=WorkOrigin.PLAN,
        plan_id=plan["id"],
        plan_day=day,
        to=Crew(team=plan["team"]),
    )
    try:
        return (await make(connection, new, WorkStep(by=PLATFORM, now=now))).id
    except RegistryError as refused:
        log.warning("a plan made no order", plan=plan["id"], device=device, why=str(refused))
        return None
