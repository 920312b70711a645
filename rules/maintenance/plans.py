"""Maintenance that comes again, for people: plan it, list the plans, end one.

What its windows mean for rules is in rules.maintenance.spans, how they are made in upkeep. Must not know HTTP
or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

import asyncpg

from devices.instants import to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.generation import advance
from devices.registry.registry import get_device, get_municipality
from devices.time_zones import zone_named
from rules.maintenance.recurrence import Recurrence, Recurring, local_day, recurring
from rules.maintenance.upkeep import make_windows, recurrence_of
from rules.maintenance.windows import REASON_LENGTH
from store import audit
from store.audit import Actor
from store.connection import Connection

LOOKED_AHEAD = timedelta(days=366)
"""So far the next window is looked for."""
LAST_NUMBER = {"week": 7, "month": 31}


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenancePlan:
    """Windows that come again over a device and everything below it, or over a municipality.

    town: the municipality itself, or that of the device. time_zone: its clock, by which the windows come.
    next_from_at, next_until_at: of the window that runs, or else of the next one; None where none comes
    within a year. ended_at, ended_by: none come any more.
    """

    id: int
    device: str | None
    municipality: str | None
    town: str
    time_zone: str
    recurrence: Recurrence
    reason: str
    author: str
    created_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    state: Literal["active", "over"]
    next_from_at: datetime | None
    next_until_at: datetime | None


_SELECT = """
SELECT
    p.id, d.name AS device, m.name AS municipality, town.name AS town, town.time_zone, p.every, p.days,
    p.from_time, p.until_time, p.from_date, p.until_date, p.left_out, p.reason, author.name AS author,
    p.created_at, p.ended_at, ender.name AS ended_by
FROM maintenance_plan AS p
INNER JOIN named_principal AS author ON p.author_id = author.id
LEFT JOIN named_principal AS ender ON p.ender_id = ender.id
LEFT JOIN device AS d ON p.device_id = d.id
LEFT JOIN municipality AS m ON p.municipality_id = m.id
INNER JOIN municipality AS town ON town.id = coalesce(p.municipality_id, d.municipality_id)
"""
_LIST = (
    _SELECT
    + """
WHERE
    ($1::text IS NULL OR town.name = $1)
    AND ($2 OR p.ended_at IS NULL)
    AND ($3::bigint IS NULL OR p.id > $3)
    AND ($5::text [] IS NULL OR town.name = ANY($5))
ORDER BY p.id
LIMIT $4
"""
)


async def list_plans(
    connection: Connection,
    *,
    now: int,
    municipality: str | None = None,
    ended: bool = False,
    after: int | None = None,
    limit: int = 1000,
    within: Sequence[str] | None = None,
) -> list[MaintenancePlan]:
    """Return plans in the order they were made.

    Args:
        now: microseconds since 1970-01-01Z.
        municipality: only those over it and its devices.
        ended: those that somebody has ended too.
        after: the last id of the page before this one.
        within: only those of these municipalities; None: of all.

    Raises:
        NotFound: there is no such municipality.
    """
    if municipality is not None:
        await get_municipality(connection, municipality)
    rows = await connection.fetch(_LIST, municipality, ended, after, limit, within)
    return [_plan(row, to_datetime(now)) for row in rows]


_GET = _SELECT + "WHERE p.id = $1"


async def get_plan(connection: Connection, plan: int, *, now: int) -> MaintenancePlan:
    """Return one plan.

    Raises:
        NotFound: there is none of this number.
    """
    row = await connection.fetchrow(_GET, plan)
    if row is None:
        raise NotFound("maintenance plan", str(plan), "`nabd maintenance plans --all` shows them")
    return _plan(row, to_datetime(now))


# There are no windows by any clock yet.
_ADD = """
INSERT INTO maintenance_plan (
    municipality_id, device_id, every, days, from_time, until_time, from_date, until_date, reason, author_id,
    created_at, windows_until, windows_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11::timestamptz, '')
RETURNING id
"""


async def add_plan(
    connection: Connection,
    recurrence: Recurrence,
    *,
    reason: str,
    by: Actor,
    now: int,
    device: str | None = None,
    municipality: str | None = None,
) -> MaintenancePlan:
    """Plan windows that come again over one device and everything below it, or over one municipality.

    The windows of the next days are there at once.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such device or municipality.
        Invalid: it covers neither or both, has no such days, is over, or has no reason.
    """
    if (device is None) == (municipality is None):
        raise Invalid("device", "name a device or a municipality, one of both")
    device_id = municipality_id = None
    if device is not None:
        found = await get_device(connection, device)
        device_id, town = found.id, found.municipality
    else:
        town = municipality or ""
    place = await get_municipality(connection, town)
    if device is None:
        municipality_id = place.id
    _check(recurrence, reason, local_day(to_datetime(now), zone_named(place.time_zone)))
    values = asdict(recurrence)
    async with connection.transaction():
        plan: int = await connection.fetchval(
            _ADD, municipality_id, device_id, *values.values(), reason.strip(), by.principal, to_datetime(now)
        )
        after = {**{n: _said(v) for n, v in values.items()}, "device_id": device_id, "reason": reason}
        await _record(connection, place.id, plan, "add", by=by, after=after, now=now)
        await make_windows(connection, now, plan=plan)
    return await get_plan(connection, plan, now=now)


def _said(value: object) -> object:
    """Return a value as the audit has it: times of day and days as text."""
    return value if isinstance(value, str | list | tuple) or value is None else str(value)


def _check(recurrence: Recurrence, reason: str, today: date) -> None:
    last = LAST_NUMBER[recurrence.every]
    days, first = recurrence.days, recurrence.from_date or today
    if not days or len(set(days)) != len(days) or not all(1 <= day <= last for day in days):
        raise Invalid(
            "days", f"days of a {recurrence.every} are different numbers of 1 to {last}, one at least"
        )
    if recurrence.until_date is not None and recurrence.until_date < max(first, today):
        raise Invalid("until_date", "the last day must be neither before the first nor over")
    if first > today + LOOKED_AHEAD:
        raise Invalid("from_date", f"the first day must be within {LOOKED_AHEAD.days} days")
    if not 1 <= len(reason.strip()) <= REASON_LENGTH:
        raise Invalid("reason", f"say in 1 to {REASON_LENGTH} characters what is done there")


_ENDED = """
UPDATE maintenance_plan SET ended_at = $2, ender_id = $3 WHERE id = $1 AND ended_at IS NULL
RETURNING coalesce(municipality_id, (SELECT municipality_id FROM device WHERE device.id = device_id))
"""
_DROP = "DELETE FROM maintenance_window WHERE plan_id = $1 AND from_at >= $2"
_CUT = "UPDATE maintenance_window SET until_at = $2 WHERE plan_id = $1 AND from_at < $2 AND until_at > $2"


async def end_plan(connection: Connection, plan: int, *, by: Actor, now: int) -> MaintenancePlan:
    """End a plan and the window that runs by it now; no window comes any more.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is none of this number.
        Conflict: it has ended already.
    """
    at = to_datetime(now)
    async with connection.transaction():
        found = await get_plan(connection, plan, now=now)
        town = await connection.fetchval(_ENDED, plan, at, by.principal)
        if town is None:
            raise Conflict(
                f"maintenance plan {plan} has been over since {found.ended_at or at:%Y-%m-%dT%H:%M:%SZ}"
            )
        await connection.execute(_DROP, plan, at)
        await connection.execute(_CUT, plan, at)
        await _record(
            connection, town, plan, "end", by=by, before={"ended_at": None}, after={"ended_at": at}, now=now
        )
        await advance(connection)
    return await get_plan(connection, plan, now=now)


async def _record(connection: Connection, town: int, plan: int, verb: str, **more: Any) -> None:
    await audit.record(
        connection, municipality=town, action=f"maintenance-plan.{verb}", subject=str(plan), **more
    )


def _plan(row: asyncpg.Record, at: datetime) -> MaintenancePlan:
    recurrence = recurrence_of(row)
    following = None if row["ended_at"] else _following(recurrence, row, at)
    over = row["ended_at"] is not None or (recurrence.until_date is not None and following is None)
    kept = {n: row[n] for n in MaintenancePlan.__slots__ if n in row.keys()}  # noqa: SIM118 - a Record has no `in`
    return MaintenancePlan(
        **kept,
        recurrence=recurrence,
        state="over" if over else "active",
        next_from_at=following.from_at if following else None,
        next_until_at=following.until_at if following else None,
    )


def _following(recurrence: Recurrence, row: asyncpg.Record, at: datetime) -> Recurring | None:
    """Return the window that runs at an instant, or else the next one."""
    zone = zone_named(row["time_zone"])
    today = local_day(at, zone)
    coming = recurring(recurrence, zone, today - timedelta(days=1), today + LOOKED_AHEAD)
    return next((w for w in coming if w.until_at > at and w.day not in row["left_out"]), None)
