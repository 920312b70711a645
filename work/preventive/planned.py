"""Orders of preventive plans: made ahead of their day or count, one open order a plan and device.

An occurrence that comes while the order of the one before is still open is left out. Must not know who makes
plans.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import asyncpg
import structlog

from alerts.transition import Severity
from devices.instants import to_datetime
from devices.registry.errors import RegistryError
from devices.time_zones import zone_named
from store.audit import PLATFORM
from store.connection import Connection
from work.assigning import Crew
from work.attempts import Attempts
from work.change import WorkStep
from work.clocks.deadlines import DeadlineTerms, deadline_terms
from work.order import WorkOrigin
from work.orders import NewOrder, make
from work.preventive.plan_times import last_until, longest_ahead, next_count

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


_NEWEST = "SELECT max(id) FROM work_plan"


async def newest_plan(connection: Connection) -> int:
    """Return the number of the plan that was made last, 0 without any."""
    return await connection.fetchval(_NEWEST) or 0


async def make_planned(connection: Connection, now: int, attempts: Attempts | None = None) -> list[int]:
    """Make the orders of plans that are due, and return their numbers.

    Each in a transaction of its own: one that fails does not stop the others.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    plans = await connection.fetch(_PLANS)
    if not plans:
        return []
    turn = _Turn(
        connection=connection,
        now=now,
        by=await deadline_terms(connection),
        attempts=attempts or Attempts(),
        made=[],
    )
    for plan in plans:
        if len(turn.made) < AT_ONCE:
            await (_by_count if plan["unit"] == "counter" else _by_day)(turn, plan)
    return turn.made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One look at all plans. made: numbers of orders so far."""

    connection: Connection
    now: int
    by: DeadlineTerms
    attempts: Attempts
    made: list[int]

    async def do(self, device: int, act: Callable[[], Awaitable[int | None]]) -> None:
        """Do what is due of a device, and keep the number of its order."""
        order = await self.attempts.attempt("make by plan", device, self.now, act)
        if order is not None:
            self.made.append(order)


# Devices of a plan are those of its kind, or its one: two ways to find them, each by its index.
_DEVICES_OF_PLAN = """
FROM work_plan AS p
INNER JOIN device ON device.id = ANY(
    CASE WHEN p.device_id IS NOT NULL THEN ARRAY[p.device_id] ELSE ARRAY(
        SELECT of_kind.id FROM device AS of_kind
        WHERE of_kind.kind = p.kind AND of_kind.municipality_id = p.municipality_id
    ) END
)
LEFT JOIN work_plan_device AS known ON known.plan_id = p.id AND known.device_id = device.id
LEFT JOIN latest ON latest.device_id = device.id
WHERE p.id = $1 AND device.municipality_id = p.municipality_id AND device.retired_at IS NULL
    AND device.installed_at <= $2
"""
_OPEN = """
EXISTS (
    SELECT FROM work_order AS o
    WHERE o.plan_id = p.id AND o.device_id = device.id AND o.state NOT IN ('done', 'cancelled')
)
"""
# Before its day an occurrence waits for the order of the one before it; on its day it is left out.
_DUE_BY_DAY = (
    "SELECT device.id, device.name, "
    + _OPEN
    + " AS is_open "
    + _DEVICES_OF_PLAN
    + """
    AND CASE WHEN known.made_for IS NULL THEN $3::date >= $4::date ELSE known.made_for < $3::date END
    AND ($3::date <= $4::date OR NOT """
    + _OPEN
    + """)
ORDER BY device.id
LIMIT $5
"""
)
_MADE_FOR = """
INSERT INTO work_plan_device (plan_id, device_id, made_for) VALUES ($1, $2, $3)
ON CONFLICT (plan_id, device_id) DO UPDATE SET made_for = excluded.made_for
"""


async def _by_day(turn: _Turn, plan: asyncpg.Record) -> None:
    today = to_datetime(turn.now).astimezone(zone_named(plan["time_zone"])).date()
    every = int(plan["every"])
    ahead = min(plan["ahead"], longest_ahead(every, plan["unit"]))
    day = last_until(plan["first_day"], every, plan["unit"], today + timedelta(days=ahead))
    if day is None:
        return
    most = AT_ONCE - len(turn.made)
    rows = await turn.connection.fetch(_DUE_BY_DAY, plan["id"], to_datetime(turn.now), day, today, most)
    for row in rows:
        await turn.do(row["id"], partial(_of_day, turn, plan, row, day))


async def _of_day(turn: _Turn, plan: asyncpg.Record, row: asyncpg.Record, day: date) -> int | None:
    async with turn.connection.transaction():
        order = None if row["is_open"] else await _make(turn, plan, row["name"], day)
        await turn.connection.execute(_MADE_FOR, plan["id"], row["id"], day)
    return order


# A count below that at which the last order was made is that of a new counter.
_DUE_BY_COUNT = (
    """
SELECT device.id, device.name, known.due_at_count, counted.value, """
    + _OPEN
    + " AS is_open "
    + _DEVICES_OF_PLAN.replace(
        "WHERE p.id",
        """CROSS JOIN LATERAL (
    SELECT CASE WHEN jsonb_typeof(latest.measurements -> p.measurement) = 'number'
        THEN (latest.measurements ->> p.measurement)::double precision END AS value
) AS counted
WHERE p.id""",
    )
    + """
    AND counted.value >= 0 AND (
        known.due_at_count IS NULL OR counted.value >= known.due_at_count - p.ahead
        OR counted.value < known.due_at_count - p.every - p.ahead
    )
ORDER BY device.id
LIMIT $3
"""
)
_DUE_AT = """
INSERT INTO work_plan_device (plan_id, device_id, due_at_count) VALUES ($1, $2, $3)
ON CONFLICT (plan_id, device_id) DO UPDATE SET due_at_count = excluded.due_at_count
"""


async def _by_count(turn: _Turn, plan: asyncpg.Record) -> None:
    most = AT_ONCE - len(turn.made)
    for row in await turn.connection.fetch(_DUE_BY_COUNT, plan["id"], to_datetime(turn.now), most):
        await turn.do(row["id"], partial(_of_count, turn, plan, row))


async def _of_count(turn: _Turn, plan: asyncpg.Record, row: asyncpg.Record) -> int | None:
    due, value, every = row["due_at_count"], row["value"], plan["every"]
    following, order = next_count(every, value), None
    async with turn.connection.transaction():
        if due is not None and value >= due - plan["ahead"]:
            order = None if row["is_open"] else await _make(turn, plan, row["name"], None)
            following = max(due + every, following)
        await turn.connection.execute(_DUE_AT, plan["id"], row["id"], following)
    return order


async def _make(turn: _Turn, plan: asyncpg.Record, device: str, day: date | None) -> int | None:
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
        return (await make(turn.connection, new, WorkStep(by=PLATFORM, now=turn.now), turn.by)).id
    except RegistryError as refused:
        log.warning("a plan made no order", plan=plan["id"], device=device, why=str(refused))
        return None
