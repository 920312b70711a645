"""Maintenance windows for people: plan one, list them, end one early.

What a window means for rules is in rules.maintenance.spans. Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

import asyncpg

from devices.instants import to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from devices.registry.generation import advance
from devices.registry.registry import get_device, get_municipality
from rules.maintenance import spans
from store.audit import Actor
from store.connection import Connection

LONGEST = timedelta(days=366)
"""Longest window: a longer one is a mistake in a date, or a device that should be retired."""
REASON_LENGTH = 500

State = Literal["planned", "running", "over", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWindow:
    """One window over a device and everything below it, or over a municipality; the end is not included.

    town, time_zone: of the municipality itself, or of the device's. plan: that it came from, see plans.
    """

    id: int
    device: str | None
    municipality: str | None
    town: str
    time_zone: str
    from_at: datetime
    until_at: datetime
    reason: str
    author: str
    created_at: datetime
    state: State
    plan: int | None


_SELECT = """
SELECT
    w.id, d.name AS device, m.name AS municipality, coalesce(m.name, own.name) AS town,
    coalesce(m.time_zone, own.time_zone) AS time_zone,
    w.from_at, w.until_at, w.reason,
    author.name AS author, w.created_at, w.plan_id AS plan,
    CASE WHEN w.until_at <= $1 THEN 'over' WHEN w.from_at <= $1 THEN 'running' ELSE 'planned' END AS state
FROM maintenance_window AS w
INNER JOIN named_principal AS author ON w.author_id = author.id
LEFT JOIN device AS d ON w.device_id = d.id
LEFT JOIN municipality AS own ON d.municipality_id = own.id
LEFT JOIN municipality AS m ON w.municipality_id = m.id
"""

_ABOVE = """
WITH RECURSIVE above AS (
    SELECT id, 0 AS depth FROM device WHERE name = $1
    UNION ALL
    SELECT hangs_on.parent_id, above.depth + 1
    FROM above
    INNER JOIN hangs_on ON above.id = hangs_on.device_id
    WHERE above.depth < 4 AND hangs_on.alone
)

SELECT id FROM above
"""

_LIST = (
    _SELECT
    + """
WHERE
    ($2::int [] IS NULL OR w.device_id = ANY($2) OR m.name = $3)
    AND ($4::int IS NULL OR w.municipality_id = $4 OR d.municipality_id = $4)
    AND ($5 OR w.until_at > $1)
    AND ($6::bigint IS NULL OR w.id > $6)
    AND ($8::text [] IS NULL OR coalesce(m.name, own.name) = ANY($8))
ORDER BY w.id
LIMIT $7
"""
)


async def list_windows(
    connection: Connection,
    *,
    now: int,
    device: str | None = None,
    municipality: str | None = None,
    over: bool = False,
    after: int | None = None,
    limit: int = 1000,
    within: Sequence[str] | None = None,
) -> list[PlannedWindow]:
    """Return windows in the order they were planned.

    Args:
        now: microseconds since 1970-01-01Z.
        device: only those that cover it, through its ancestors and its municipality too.
        municipality: only those over it and its devices.
        over: those that have ended too.
        after: the last id of the page before this one.
        within: only those of these municipalities; None: of all.

    Raises:
        NotFound: there is no such device or municipality.
    """
    above = of_town = town = None
    if device is not None:
        of_town = (await get_device(connection, device)).municipality
        above = [row["id"] for row in await connection.fetch(_ABOVE, device)]
    if municipality is not None:
        town = (await get_municipality(connection, municipality)).id
    rows = await connection.fetch(_LIST, to_datetime(now), above, of_town, town, over, after, limit, within)
    return [_window(row) for row in rows]


_GET = _SELECT + "WHERE w.id = $2"


async def get_window(connection: Connection, window: int, *, now: int) -> PlannedWindow:
    """Return one window.

    Raises:
        NotFound: there is none of this number.
    """
    row = await connection.fetchrow(_GET, to_datetime(now), window)
    if row is None:
        raise NotFound("maintenance window", str(window), "`nabd maintenance list --all` shows them")
    return _window(row)


async def add_window(
    connection: Connection,
    *,
    until_at: datetime,
    reason: str,
    by: Actor,
    now: int,
    from_at: datetime | None = None,
    device: str | None = None,
    municipality: str | None = None,
) -> PlannedWindow:
    """Plan a window over one device and everything below it, or over one municipality; return it.

    Args:
        from_at: from now on without it.
        until_at: not included.
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such device or municipality.
        Invalid: it covers neither or both, ends before it begins, is over, is too long, or has no reason.
    """
    start = from_at or to_datetime(now)
    _check(device, municipality, start, until_at, reason, to_datetime(now))
    where: dict[str, Any] = {}
    if device is not None:
        where["device_id"] = (await get_device(connection, device)).id
    if municipality is not None:
        where["municipality_id"] = (await get_municipality(connection, municipality)).id
    window = await spans.plan(
        connection,
        from_at=start,
        until_at=until_at,
        reason=reason.strip(),
        by=by,
        now=now,
        **where,
    )
    return await get_window(connection, window, now=now)


def _check(
    device: str | None,
    municipality: str | None,
    start: datetime,
    end: datetime,
    reason: str,
    now: datetime,
) -> None:
    if (device is None) == (municipality is None):
        raise Invalid("device", "name a device or a municipality, one of both")
    if end <= start:
        raise Invalid("until_at", "the end must be later than the beginning")
    if end <= now:
        raise Invalid("until_at", "it would be over already: rules have judged those readings")
    if end - start > LONGEST:
        raise Invalid("until_at", f"a window lasts at most {LONGEST.days} days; retire what is gone for good")
    if not 1 <= len(reason.strip()) <= REASON_LENGTH:
        raise Invalid("reason", f"say in 1 to {REASON_LENGTH} characters what is done there")


# A window that has not begun has not affected any rule, so it may be deleted.
_CANCEL = """
WITH cancelled AS (
    DELETE FROM maintenance_window WHERE id = $1 AND from_at >= $2 RETURNING id, plan_id, plan_day
), left_out AS (
    UPDATE maintenance_plan SET left_out = array_append(left_out, plan_day)
    FROM cancelled WHERE maintenance_plan.id = plan_id
)
SELECT id FROM cancelled
"""
_END = """
UPDATE maintenance_window SET until_at = $2
WHERE id = $1 AND from_at < $2 AND until_at > $2
RETURNING id
"""


# Before the window, as whoever ends or renews the plan does.
_LOCK_PLAN = """
SELECT p.id
FROM maintenance_plan AS p
INNER JOIN maintenance_window AS w ON w.plan_id = p.id
WHERE w.id = $1
FOR UPDATE OF p
"""


async def end_window(connection: Connection, window: int, *, by: Actor, now: int) -> PlannedWindow:
    """End a window now, or take back one that has not begun; rules look again from here on.

    Args:
        by: who.
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is none of this number.
        Conflict: it is over already.
    """
    async with connection.transaction():
        await connection.execute(_LOCK_PLAN, window)
        found = await get_window(connection, window, now=now)
        at = to_datetime(now)
        begun = found.from_at < at
        if found.until_at > at:
            before = {"from_at": found.from_at, "until_at": found.until_at}
            after = {"until_at": at} if begun else None
            await spans.record(
                connection, window, "end" if begun else "cancel", by=by, before=before, after=after, now=now
            )
        cancelled = await connection.fetchval(_CANCEL, window, at)
        if cancelled is None and await connection.fetchval(_END, window, at) is None:
            raise Conflict(f"maintenance window {window} has been over since {found.until_at.isoformat()}")
        await advance(connection)
    return replace(found, state="cancelled") if cancelled else replace(found, until_at=at, state="over")


def _window(row: asyncpg.Record) -> PlannedWindow:
    return PlannedWindow(**row)
