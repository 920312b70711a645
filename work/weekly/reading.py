"""Reads what the report of a week says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from devices.registry import registry
from devices.registry.errors import Invalid
from devices.registry.registry import Municipality
from devices.time_zones import zone_named
from store.connection import Connection
from work.figures.facts import FigureGroup, WorkFigures
from work.figures.reading import alerts_of, orders_of
from work.figures.shaping import shaped
from work.figures.span import FigurePeriod, monday_of, week, week_name

MOST_ORDERS, MOST_DEVICES = 20, 10
REPEATED, REPEATED_WITHIN = 3, timedelta(days=90)
"""How many orders make a device one that fails again and again."""
Title = Mapping[str, str]
"""By language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """An order that was open at the end of the week. assignee, team: as people call them, None: nobody's.

    due_at: of its next deadline. overdue: a deadline has passed.
    """

    id: int
    device: str
    device_title: str
    device_titles: Mapping[str, str]
    district: Title
    title: str
    said: Title
    assignee: str | None
    team: str | None
    due_at: datetime | None
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingDevice:
    """A device for which REPEATED orders or more were made within REPEATED_WITHIN."""

    device: str
    device_title: str
    device_titles: Mapping[str, str]
    district: Title
    orders: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekReport:
    """One week, beside the week before.

    until_at: the end of the week, or the present within it. teams: None where the reader sees no names.
    open: MOST_ORDERS at most, late ones first. titles: of districts and teams, by name.
    """

    town: Municipality
    monday: date
    until_at: datetime
    week: WorkFigures
    before: WorkFigures
    districts: Sequence[WorkFigures]
    teams: Sequence[WorkFigures] | None
    titles: Mapping[str, Title]
    open: Sequence[OpenWork]
    repeated: Sequence[FailingDevice]
    now: datetime

    @property
    def name(self) -> str:
        """The week, such as 2026-W48."""
        return week_name(self.monday)


def last_week(town: Municipality, now: datetime) -> date:
    """Return the Monday of the last week that is over on a municipality's clock."""
    return monday_of(now.astimezone(zone_named(town.time_zone)).date()) - timedelta(days=7)


_OPEN = """
SELECT o.id, device.name AS device, device.title AS device_title, device.titles AS device_titles,
    coalesce(district.title, '{}') AS district, o.title, coalesce(alert.summary, '{}') AS said,
    coalesce(nullif(person.display_name, ''), person.name) AS assignee, team.name AS team,
    least(
        CASE WHEN o.accepted_at IS NULL OR o.accepted_at >= $2 THEN o.response_due_at END, o.repair_due_at
    ) AS due_at
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
LEFT JOIN ground_feature AS district
    ON device.district_id = district.id AND district.municipality_id = o.municipality_id
LEFT JOIN person ON o.assignee_id = person.id
LEFT JOIN team ON o.team_id = team.id
LEFT JOIN LATERAL (
    SELECT a.summary FROM work_order_alert AS about
    INNER JOIN alert AS a ON about.alert_id = a.id
    WHERE about.order_id = o.id ORDER BY a.id LIMIT 1
) AS alert ON true
WHERE o.municipality_id = $1 AND o.created_at < $2
    -- As figures say it: reopened, or made, since it was done the last time before.
    AND NOT (o.state = 'cancelled' AND o.ended_at < $2)
    AND (
        SELECT count(*) FILTER (WHERE e.type = 'done') - count(*) FILTER (WHERE e.type = 'reopened')
        FROM work_event AS e
        WHERE e.order_id = o.id AND e.type IN ('done', 'reopened') AND e.happened_at < $2
    ) <= 0
ORDER BY due_at NULLS LAST, o.id
LIMIT $3
"""
_REPEATED = """
SELECT device.name AS device, device.title AS device_title, device.titles AS device_titles,
    coalesce(district.title, '{}') AS district, count(*) AS orders
FROM work_order AS o
INNER JOIN device ON o.device_id = device.id
LEFT JOIN ground_feature AS district
    ON device.district_id = district.id AND district.municipality_id = o.municipality_id
WHERE o.municipality_id = $1 AND o.created_at < $2 AND o.created_at >= $3 AND o.state <> 'cancelled'
    AND o.origin <> 'plan'
GROUP BY device.id, district.id
HAVING count(*) >= $4
ORDER BY count(*) DESC, device.name
LIMIT $5
"""
_TITLES = """
SELECT 'district ' || name AS name, title FROM ground_feature
WHERE municipality_id = $1 AND layer = 'districts'
UNION ALL
SELECT 'team ' || name, title FROM team
"""


async def read_report(
    connection: Connection, municipality: str, monday: date | None, now: datetime, *, named: bool
) -> WeekReport:
    """Return the report of a week.

    Args:
        monday: of the week; None: the last one that is over.
        named: the reader may see who did what; else people and teams are left out.

    Raises:
        NotFound: there is no such municipality.
        Invalid: the week has not begun.
    """
    town = await registry.get_municipality(connection, municipality)
    zone = zone_named(town.time_zone)
    first = monday or last_week(town, now)
    whole = week(first, zone)
    if whole.from_at >= now:
        raise Invalid("week", f"{week_name(first)} has not begun")
    present = FigurePeriod(from_at=whole.from_at, until_at=min(whole.until_at, now))
    former = week(first - timedelta(days=7), zone)
    both = FigurePeriod(from_at=former.from_at, until_at=present.until_at)
    orders = await orders_of(connection, town.name, both)
    alerts = await alerts_of(connection, town.name, [former, present])
    # Beside the loop: an order for each of thousands of lamps takes a while.
    before, this = await asyncio.to_thread(shaped, [former, present], orders, alerts, None)
    of_week = [replace(one, period=0) for one in alerts if one.period == 1]
    districts = await asyncio.to_thread(shaped, [present], orders, of_week, FigureGroup.DISTRICT)
    teams = await asyncio.to_thread(shaped, [present], orders, [], FigureGroup.TEAM)
    return WeekReport(
        town=town,
        monday=first,
        until_at=present.until_at,
        week=this,
        before=before,
        districts=districts,
        teams=teams if named else None,
        titles={row["name"]: row["title"] for row in await connection.fetch(_TITLES, town.id)},
        open=await _open(connection, town, present.until_at, named=named),
        repeated=await _repeated(connection, town, present.until_at),
        now=now,
    )


async def _open(connection: Connection, town: Municipality, at: datetime, *, named: bool) -> list[OpenWork]:
    rows = [dict(row) for row in await connection.fetch(_OPEN, town.id, at, MOST_ORDERS)]
    hidden = {} if named else {"assignee": None, "team": None, "title": ""}
    return [
        OpenWork(**{**row, **hidden}, overdue=row["due_at"] is not None and row["due_at"] <= at)
        for row in rows
    ]


async def _repeated(connection: Connection, town: Municipality, at: datetime) -> list[FailingDevice]:
    rows = await connection.fetch(_REPEATED, town.id, at, at - REPEATED_WITHIN, REPEATED, MOST_DEVICES)
    return [FailingDevice(**dict(row)) for row in rows]
