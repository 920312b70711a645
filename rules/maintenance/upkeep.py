"""The windows of maintenance plans: made some days ahead, and made anew when a clock is changed by law.

What is made here are ordinary windows, so that rules know no plans (rules.maintenance.spans). A window that
somebody ended or took back stays so. Must not know who makes plans.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib.metadata import version

import asyncpg

from devices.instants import to_datetime
from devices.registry.generation import advance
from devices.time_zones import zone_named
from rules.maintenance.recurrence import Recurrence, Recurring, local_day, recurring
from store.connection import Connection

AHEAD = timedelta(days=15)
RENEWED_BEFORE = timedelta(days=8)
"""Windows are made so far ahead, again when fewer days are left: about once a week, so that processes which
take the windows of all devices into memory need not do so more often."""

_DUE = """
SELECT
    p.id, p.municipality_id, p.device_id, p.every, p.days, p.from_time, p.until_time, p.from_date,
    p.until_date, p.left_out, p.reason, p.author_id, p.windows_until, p.windows_by, m.time_zone
FROM maintenance_plan AS p
LEFT JOIN device AS d ON p.device_id = d.id
INNER JOIN municipality AS m ON m.id = coalesce(p.municipality_id, d.municipality_id)
WHERE p.ended_at IS NULL AND ($1::bigint IS NULL OR p.id = $1)
ORDER BY p.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """A plan that lacks windows: those of the local days first to last. anew: those ahead are wrong."""

    plan: asyncpg.Record
    first: date
    last: date
    anew: bool


async def make_windows(connection: Connection, now: int, *, plan: int | None = None) -> int:
    """Make the windows of the next days that are not there yet, and return how many there were.

    Args:
        now: microseconds since 1970-01-01Z.
        plan: only those of this one. Whoever has locked other rows must not wait for those of all plans.
    """
    at = to_datetime(now)
    if not _due(await connection.fetch(_DUE, plan), at):
        return 0
    async with connection.transaction():
        # Whoever makes them at the same time has made them when the lock is given.
        plans = await connection.fetch(_DUE + "FOR UPDATE OF p", plan)
        return await _make(connection, _due(plans, at), at)


def _due(plans: Iterable[asyncpg.Record], at: datetime) -> list[_Due]:
    found = []
    for plan in plans:
        today = local_day(at, zone_named(plan["time_zone"]))
        anew = plan["windows_by"] != reckoned_by(plan["time_zone"])
        if anew or plan["windows_until"] < today + RENEWED_BEFORE:
            # Yesterday's may still run.
            earliest = today - timedelta(days=1)
            first = earliest if anew else max(earliest, plan["windows_until"] + timedelta(days=1))
            found.append(_Due(plan=plan, first=first, last=today + AHEAD, anew=anew))
    return found


def reckoned_by(time_zone: str) -> str:
    """Return a text that is another when a clock or the data about it is."""
    return f"{time_zone} {version('tzdata')}"


_DROP = "DELETE FROM maintenance_window WHERE plan_id = $1 AND from_at > $2"
_ADD = """
INSERT INTO maintenance_window (
    municipality_id, device_id, from_at, until_at, reason, author_id, created_at, plan_id, plan_day
)
SELECT $1, $2, w.from_at, w.until_at, $3, $4, $5, $6, w.day
FROM unnest($7::date [], $8::timestamptz [], $9::timestamptz []) AS w (day, from_at, until_at)
ON CONFLICT (plan_id, plan_day) WHERE plan_id IS NOT NULL DO NOTHING
"""
_MADE = "UPDATE maintenance_plan SET windows_until = $2, windows_by = $3 WHERE id = $1"


async def _make(connection: Connection, due: Iterable[_Due], at: datetime) -> int:
    made, changed = 0, False
    for one in due:
        plan = one.plan
        if one.anew:
            changed |= await connection.execute(_DROP, plan["id"], at) != "DELETE 0"
        windows = [w for w in _windows(one) if w.until_at > at]
        said = await connection.execute(
            _ADD,
            plan["municipality_id"],
            plan["device_id"],
            plan["reason"],
            plan["author_id"],
            at,
            plan["id"],
            [w.day for w in windows],
            [w.from_at for w in windows],
            [w.until_at for w in windows],
        )
        made += int(said.rpartition(" ")[2])
        await connection.execute(_MADE, plan["id"], one.last, reckoned_by(plan["time_zone"]))
    if made or changed:
        await advance(connection)
    return made


def _windows(due: _Due) -> Iterable[Recurring]:
    zone = zone_named(due.plan["time_zone"])
    found = recurring(recurrence_of(due.plan), zone, due.first, due.last)
    return (window for window in found if window.day not in due.plan["left_out"])


def recurrence_of(row: asyncpg.Record) -> Recurrence:
    """Return when the windows of a row of maintenance_plan come."""
    columns = ("every", "days", "from_time", "until_time", "from_date", "until_date")
    return Recurrence(**{column: row[column] for column in columns})
