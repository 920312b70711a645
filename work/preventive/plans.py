"""Preventive plans, for people: make one, list them, end one. Each change is audited.

What a plan means for its devices is in work.preventive.planned. Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from alerts.transition import Severity
from devices.instants import to_datetime
from devices.kinds import STRUCTURAL, Kinds
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.registry import get_device, get_municipality
from devices.suggestion import meant
from devices.time_zones import zone_named
from store import audit
from store.audit import Actor
from store.connection import Connection
from work.orders import TITLE_LENGTH
from work.preventive.plan_times import PlanUnit, longest_ahead

LOOKED_AHEAD = timedelta(days=5 * 366)
MOST = {"weeks": 520, "months": 120}
MOST_AHEAD_DAYS = 90
DAYS_AHEAD = 7
"""An order is made so many days before its day, unless the plan says otherwise."""
COUNT_AHEAD = 0.02
"""The same of a counter, as a share of what it counts between two orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPlan:
    """A plan to make; see WorkPlan. municipality: where it names a kind. ahead: None: the default."""

    title: str
    every: float
    unit: PlanUnit
    device: str | None = None
    kind: str | None = None
    municipality: str | None = None
    measurement: str | None = None
    first_day: date | None = None
    ahead: float | None = None
    severity: Severity = Severity.MINOR
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPlan:
    """Preventive work that comes again, on a device or on all of a kind in a municipality.

    every: so many weeks or months from first_day on, or units that the measurement counts: due at each
    multiple. ahead: so many days, or units, before that the order is made. open_orders: of this plan.
    """

    id: int
    municipality: str
    device: str | None
    kind: str | None
    title: str
    severity: Severity
    every: float
    unit: PlanUnit
    measurement: str | None
    first_day: date | None
    ahead: float
    team: str | None
    author: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    open_orders: int


_SELECT = """
SELECT p.id, municipality.name AS municipality, device.name AS device, p.kind, p.title, p.severity, p.every,
    p.unit, p.measurement, p.first_day, p.ahead, team.name AS team, author.name AS author, p.created_at,
    p.ended_at, ender.name AS ended_by,
    (
        SELECT count(*) FROM work_order AS o
        WHERE o.plan_id = p.id AND o.state NOT IN ('done', 'cancelled')
    ) AS open_orders
FROM work_plan AS p
INNER JOIN municipality ON p.municipality_id = municipality.id
INNER JOIN named_principal AS author ON p.author_id = author.id
LEFT JOIN named_principal AS ender ON p.ender_id = ender.id
LEFT JOIN device ON p.device_id = device.id
LEFT JOIN team ON p.team_id = team.id
"""
_LIST = (
    _SELECT
    + """
WHERE ($1::text IS NULL OR municipality.name = $1) AND ($2 OR p.ended_at IS NULL)
    AND ($3::text [] IS NULL OR municipality.name = ANY($3))
    AND ($4::bigint IS NULL OR p.id > $4)
ORDER BY p.id
LIMIT $5
"""
)
_ONE = _SELECT + "WHERE p.id = $1"


async def list_work_plans(
    connection: Connection,
    *,
    municipality: str | None = None,
    ended: bool = False,
    within: Sequence[str] | None = None,
    after: int | None = None,
    limit: int = 1000,
) -> list[WorkPlan]:
    """Return plans in the order they were made.

    Args:
        ended: those that somebody has ended too.
        within: only those of these municipalities; None: of all.
        after: the last id of the page before this one.
    """
    rows = await connection.fetch(_LIST, municipality, ended, within, after, limit)
    return [_plan(row) for row in rows]


async def get_work_plan(connection: Connection, plan: int) -> WorkPlan:
    """Return one plan.

    Raises:
        NotFound: there is none of this number.
    """
    row = await connection.fetchrow(_ONE, plan)
    if row is None:
        raise NotFound("work plan", str(plan), "`nabd work-plan list --all` shows them")
    return _plan(row)


_ADD = """
INSERT INTO work_plan (
    municipality_id, device_id, kind, title, severity, every, unit, measurement, first_day, ahead, team_id,
    author_id, created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
RETURNING id
"""
_TEAM = "SELECT id FROM team WHERE name = $1 AND (municipality_id IS NULL OR municipality_id = $2)"


async def add_work_plan(
    connection: Connection, new: NewPlan, kinds: Kinds, *, by: Actor, now: int
) -> WorkPlan:
    """Make a plan; its orders come when they are due.

    Args:
        kinds: those that are declared.
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such device, municipality or team.
        Invalid: a field is not acceptable.
    """
    if (new.device is None) == (new.kind is None):
        raise Invalid("device", "name a device, or a kind with its municipality")
    device = None if new.device is None else await get_device(connection, new.device)
    name = device.municipality if device else new.municipality
    if name is None or (device and new.municipality not in (None, name)):
        raise Invalid("municipality", "name that of the devices")
    town = await get_municipality(connection, name)
    today = to_datetime(now).astimezone(zone_named(town.time_zone)).date()
    _check(new, device.kind if device else str(new.kind), kinds, today)
    team = None
    if new.team is not None:
        team = await connection.fetchval(_TEAM, new.team, town.id)
        if team is None:
            raise NotFound("team", new.team, "`nabd team list` shows them")
    async with connection.transaction():
        number: int = await connection.fetchval(
            _ADD,
            town.id,
            device.id if device else None,
            new.kind,
            new.title.strip(),
            new.severity,
            new.every,
            new.unit,
            new.measurement,
            None if new.unit == "counter" else new.first_day or today,
            _ahead(new),
            team,
            by.principal,
            to_datetime(now),
        )
        said = {"device": new.device, "kind": new.kind, "every": new.every, "unit": new.unit}
        await _record(connection, town.id, number, "add", by=by, after=said, now=now)
    return await get_work_plan(connection, number)


def _ahead(new: NewPlan) -> float:
    if new.ahead is not None:
        return new.ahead
    if new.unit == "counter":
        return round(new.every * COUNT_AHEAD, 3)
    return max(min(DAYS_AHEAD, longest_ahead(int(new.every), new.unit)), 0)


def _check(new: NewPlan, kind: str, kinds: Kinds, today: date) -> None:
    if kind not in kinds and kind not in STRUCTURAL:
        raise Invalid("kind", f"there is no kind {kind!r}; {meant(kind, [*kinds, *STRUCTURAL])}")
    if not 1 <= len(new.title.strip()) <= TITLE_LENGTH:
        raise Invalid("title", f"say in 1 to {TITLE_LENGTH} characters what is to be done")
    ahead = _ahead(new)
    if new.unit == "counter":
        counters = [m.name for m in kinds[kind].measurements if m.counter] if kind in kinds else []
        if new.measurement not in counters:
            raise Invalid(
                "measurement", f"{new.measurement!r} counts nothing; {meant(str(new.measurement), counters)}"
            )
        if new.first_day is not None:
            raise Invalid("first_day", "is for plans by days; a counter's are due at each multiple")
        if not 0 < new.every <= 1e9 or not 0 <= ahead < new.every:
            raise Invalid("every", "is above 0, and more than what orders are made ahead")
        return
    if new.measurement is not None:
        raise Invalid("measurement", "is for plans that count")
    if new.every != int(new.every) or not 1 <= new.every <= MOST[new.unit]:
        raise Invalid("every", f"is a number of {new.unit} from 1 to {MOST[new.unit]}")
    most = min(MOST_AHEAD_DAYS, longest_ahead(int(new.every), new.unit))
    if ahead != int(ahead) or not 0 <= ahead <= most:
        raise Invalid("ahead", f"is a number of days from 0 to {most}")
    if new.first_day is not None and not today <= new.first_day <= today + LOOKED_AHEAD:
        raise Invalid("first_day", "is today or later, within five years")


_END = """
UPDATE work_plan SET ended_at = $2, ender_id = $3 WHERE id = $1 AND ended_at IS NULL
RETURNING municipality_id
"""


async def end_work_plan(connection: Connection, plan: int, *, by: Actor, now: int) -> WorkPlan:
    """End a plan: no order comes any more; those that are open stay.

    Raises:
        NotFound: there is none of this number.
        Conflict: it has ended already.
    """
    at = to_datetime(now)
    async with connection.transaction():
        await get_work_plan(connection, plan)
        town = await connection.fetchval(_END, plan, at, by.principal)
        if town is None:
            raise Conflict(f"work plan {plan} has ended already")
        said = {"ended_at": None}, {"ended_at": at}
        await _record(connection, town, plan, "end", by=by, before=said[0], after=said[1], now=now)
    return await get_work_plan(connection, plan)


async def _record(connection: Connection, town: int, plan: int, verb: str, **more: Any) -> None:
    await audit.record(connection, municipality=town, action=f"work-plan.{verb}", subject=str(plan), **more)


def _plan(row: asyncpg.Record) -> WorkPlan:
    return WorkPlan(**{**dict(row), "severity": Severity(row["severity"])})
