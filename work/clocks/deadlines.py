"""Until when open orders have to be accepted and done, and that such a time is near or has passed.

Deadlines are reckoned anew when a calendar, a target or an order's severity has changed: each order keeps a
text that names what they were reckoned by. Must not know who is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import asyncpg

from alerts.transition import Severity
from devices.instants import to_datetime
from store.connection import Connection
from work.calendars.stored import StoredCalendar, calendars, years_around
from work.calendars.working import ONE_DAY, WorkingCalendar, add_working, instant_of, working_between
from work.clocks.sla import LocalTarget, SlaTarget, list_targets, target_of

NEAR = 0.8
"""A deadline is near when so much of the time until it has passed."""
COUNTED = timedelta(days=90)
"""Orders of a device are counted as earlier ones for so long."""
AT_ONCE = 1_000
"""So many orders are reckoned in one transaction; the others in the next round."""
MOST_WARNED = 500
"""So many warnings are stored in one statement; the others in the next round."""
LATEST_DAYS = 60
"""A day of a plan on which nobody works means the next day of work, so many days later at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Instants, None: no deadline. near: when NEAR of the time until then has passed."""

    response_due_at: datetime | None
    response_near_at: datetime | None
    repair_due_at: datetime | None
    repair_near_at: datetime | None


def deadlines(created_at: datetime, target: SlaTarget, calendar: WorkingCalendar) -> Deadlines:
    """Return the deadlines of an order. Pure."""
    counted = None if target.around_the_clock else calendar
    after = [
        add_working(counted, created_at, duration)
        for duration in (
            target.response,
            target.response * NEAR,
            target.repair,
            target.repair * NEAR,
        )
    ]
    return Deadlines(
        response_due_at=after[0],
        response_near_at=after[1],
        repair_due_at=after[2],
        repair_near_at=after[3],
    )


def deadlines_of_day(created_at: datetime, day: date, calendar: WorkingCalendar) -> Deadlines:
    """Return the deadlines of an order that a plan made for a day: done when work ends on that day. Pure.

    Nobody has to answer earlier. Where nobody works on that day, or work has ended when the order is made,
    the next day of work counts.
    """
    due = max(_end_of_work(created_at, day, calendar), created_at)
    left = working_between(calendar, created_at, due)
    near = add_working(calendar, created_at, left * NEAR)
    return Deadlines(response_due_at=None, response_near_at=None, repair_due_at=due, repair_near_at=near)


def _end_of_work(created_at: datetime, day: date, calendar: WorkingCalendar) -> datetime:
    local = created_at.astimezone(calendar.zone).date()
    days = [max(day, local) + n * ONE_DAY for n in range(LATEST_DAYS)]
    ends = (
        instant_of(one, max(until for _, until in calendar.of(one)), calendar.zone)
        for one in days
        if calendar.of(one)
    )
    return next((end for end in ends if end > created_at), instant_of(day, 24 * 60, calendar.zone))


_DUE = """
SELECT o.id, o.municipality_id, o.severity, o.created_at, o.plan_day, device.kind,
    wanted.digest || ':' || o.severity AS deadlines_by
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
INNER JOIN unnest($1::integer [], $2::text []) AS wanted (municipality_id, digest)
    ON o.municipality_id = wanted.municipality_id
WHERE o.state NOT IN ('done', 'cancelled')
    AND o.deadlines_by IS DISTINCT FROM wanted.digest || ':' || o.severity
    AND ($3::bigint IS NULL OR o.id = $3)
ORDER BY o.id
LIMIT $4
FOR NO KEY UPDATE OF o SKIP LOCKED
"""
_WRITE = """
UPDATE work_order AS o SET
    response_due_at = r.response_due_at, response_near_at = r.response_near_at,
    repair_due_at = r.repair_due_at, repair_near_at = r.repair_near_at, deadlines_by = r.deadlines_by,
    earlier = CASE WHEN o.deadlines_by IS NOT NULL THEN o.earlier ELSE (
        SELECT count(*) FROM work_order AS before
        WHERE before.device_id = o.device_id AND before.id < o.id AND before.state <> 'cancelled'
            AND before.origin <> 'plan' AND before.created_at >= o.created_at - $7::interval
    ) END
FROM unnest(
    $1::bigint [], $2::timestamptz [], $3::timestamptz [], $4::timestamptz [], $5::timestamptz [],
    $6::text []
) AS r (id, response_due_at, response_near_at, repair_due_at, repair_near_at, deadlines_by)
WHERE o.id = r.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineTerms:
    """What deadlines are reckoned by: calendars by number of the municipality, and targets."""

    places: Mapping[int, StoredCalendar]
    targets: Sequence[LocalTarget]


async def deadline_terms(connection: Connection) -> DeadlineTerms:
    """Return the calendars and targets of now."""
    return DeadlineTerms(places=await calendars(connection), targets=await list_targets(connection))


async def reckon(connection: Connection, *, order: int | None = None, by: DeadlineTerms | None = None) -> int:
    """Give open orders the deadlines that they have by calendars and targets; return how many changed.

    Orders that somebody is changing now are reckoned the next time.

    Args:
        order: this one only.
        by: None: those of now.
    """
    by = by or await deadline_terms(connection)
    digests = [_digest(place, by.targets) for place in by.places.values()]
    async with connection.transaction():
        rows = await connection.fetch(_DUE, list(by.places), digests, order, AT_ONCE)
        if rows:
            await _write(connection, rows, _of_rows(rows, by.places, by.targets))
    return len(rows)


async def _write(connection: Connection, rows: Sequence[asyncpg.Record], found: Sequence[Deadlines]) -> None:
    await connection.execute(
        _WRITE,
        [row["id"] for row in rows],
        [one.response_due_at for one in found],
        [one.response_near_at for one in found],
        [one.repair_due_at for one in found],
        [one.repair_near_at for one in found],
        [row["deadlines_by"] for row in rows],
        COUNTED,
    )


def _digest(place: StoredCalendar, targets: Sequence[LocalTarget]) -> str:
    counted = [str(one) for one in targets if one.municipality in (None, place.municipality)]
    return hashlib.sha256("\n".join([place.digest, *counted]).encode()).hexdigest()[:16]


def _of_rows(
    rows: Sequence[asyncpg.Record], places: Mapping[int, StoredCalendar], targets: Sequence[LocalTarget]
) -> list[Deadlines]:
    days = [row["created_at"].date() for row in rows] + [row["plan_day"] for row in rows if row["plan_day"]]
    years = years_around(*days)
    working = {number: places[number].calendar(years) for number in {row["municipality_id"] for row in rows}}
    found = []
    for row in rows:
        town = row["municipality_id"]
        if row["plan_day"] is not None:
            found.append(deadlines_of_day(row["created_at"], row["plan_day"], working[town]))
        else:
            target = target_of(targets, places[town].municipality, row["kind"], Severity(row["severity"]))
            found.append(deadlines(row["created_at"], target, working[town]))
    return found


# An order that was accepted or done in time by its technician's clock, of which we hear later, was missed all
# the same until then: the event stands, and figures go by the times of the order.
_WARN = """
WITH due AS (
    SELECT id, 'response-missed' AS type, response_due_at AS at FROM work_order
    WHERE state NOT IN ('done', 'cancelled') AND accepted_at IS NULL AND response_due_at <= $1
    UNION ALL
    SELECT id, 'response-near', response_near_at FROM work_order
    WHERE state NOT IN ('done', 'cancelled') AND accepted_at IS NULL
        AND response_near_at <= $1 AND response_due_at > $1
    UNION ALL
    SELECT id, 'repair-missed', repair_due_at FROM work_order
    WHERE state NOT IN ('done', 'cancelled') AND repair_due_at <= $1
    UNION ALL
    SELECT id, 'repair-near', repair_near_at FROM work_order
    WHERE state NOT IN ('done', 'cancelled') AND repair_near_at <= $1 AND repair_due_at > $1
)
INSERT INTO work_event (order_id, type, happened_at, created_at)
SELECT due.id, due.type, due.at, $1 FROM due
WHERE NOT EXISTS (
    SELECT FROM work_event AS said WHERE said.order_id = due.id AND said.type = due.type
)
ORDER BY due.id, due.at
LIMIT $2
ON CONFLICT DO NOTHING
RETURNING order_id, type
"""


async def warn(connection: Connection, now: int) -> list[tuple[int, str]]:
    """Store that deadlines are near or have passed, once each, and return orders with what was stored.

    After a time without us only what has passed is said of it, not that it was near.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    rows = await connection.fetch(_WARN, to_datetime(now), MOST_WARNED)
    return [(row["order_id"], row["type"]) for row in rows]
