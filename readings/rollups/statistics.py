"""What devices of a kind measured together over local days or nights: by district, street, circuit.

Each counts for the municipality in which the device then stood. Days come from {kind}_day; nights, which
last from noon to noon by the municipality's clock, from {kind}_hour. What has no row counts nowhere. Names of
tables and columns come from checked declarations. Reads only.
"""

# ruff: noqa: S608 - names of tables and columns come from declarations whose grammar leaves nothing to quote

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

import asyncpg

from devices.kinds.kind import AttributeType, Kind, Measurement, ValueType
from devices.time_zones import zone_named
from readings.kept.columns import Part, average, column_name, merged, parts_of
from readings.kept.tables import days_of, hours_of
from store.connection import Connection
from store.readers.seen import MUNICIPALITY_AT

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NOON = time(12)


class Span(StrEnum):
    """What one row is about: all of the time asked for, a local day, or a night named by its evening."""

    WHOLE = "whole"
    DAY = "day"
    NIGHT = "night"


PLACES = ("municipality", "district", "street", "device")


def groups_of(kind: Kind) -> tuple[str, ...]:
    """Return by what devices of a kind can be put together: places, and its attributes that are texts."""
    return (*PLACES, *(a.name for a in kind.attributes if a.type is AttributeType.TEXT))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsQuery:
    """What is asked for: days [since, until); `group` is one of `groups_of`, None for all together."""

    since: date
    until: date
    measurements: Sequence[str]
    span: Span = Span.WHOLE
    group: str | None = None
    municipality: str | None = None
    district: str | None = None
    device: str | None = None
    within: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStatistics:
    """One group over one span.

    expected, completeness: of hours or days that have ended; None where none was due. measurements: by name
    and part: min, max, avg, mean, count, grown, seconds; cycles, and cycle_days between them on average.
    """

    group: str | None
    day: date | None
    devices: int
    readings: int
    expected: float
    completeness: float | None
    measurements: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


async def local_day(connection: Connection, municipality: str | None, now: datetime) -> date:
    """Return which day it is in a municipality; None: the earliest day that it still is somewhere."""
    zones = await connection.fetch(_ZONES, municipality)
    days = [now.astimezone(zone_named(row["time_zone"])).date() for row in zones]
    return min(days, default=now.astimezone(UTC).date())


_ZONES = "SELECT DISTINCT time_zone FROM municipality WHERE $1::text IS NULL OR name = $1"


async def statistics(
    connection: Connection, kind: Kind, query: StatisticsQuery, now: datetime
) -> list[GroupStatistics]:
    """Return the statistics of a kind by group and span; groups without any hour or day are not there."""
    zones = [row["time_zone"] for row in await connection.fetch(_ZONES, None)]
    spans = list(_spans(query, zones))
    ended = {zone: _ended(query.span, now, zone) for zone in zones}
    async with connection.transaction():
        await connection.execute(_UNSORTED)
        rows = await connection.fetch(
            _sql(kind, query),
            kind.name,
            query.group,
            query.municipality,
            query.district,
            query.within,
            [zone for zone, *_ in spans],
            [since for _, since, *_ in spans],
            [until for *_, until, _ in spans],
            [day for *_, day in spans],
            min((since for _, since, *_ in spans), default=_EPOCH),
            max((until for *_, until, _ in spans), default=_EPOCH),
            [ended[zone] for zone, *_ in spans],
            query.device,
        )
    return [_statistics(kind, query.measurements, row) for row in rows]


_UNSORTED = "SET LOCAL enable_sort = off"
"""Of what lies in spans the planner expects a handful of rows, and would sort a year of them in files."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _ended(span: Span, now: datetime, zone: str) -> datetime:
    """Return when the hour, or the zone's day, began that is not over yet."""
    if span is Span.NIGHT:
        return now.replace(minute=0, second=0, microsecond=0)
    clock = zone_named(zone)
    return datetime.combine(now.astimezone(clock).date(), time(), clock).astimezone(UTC)


def _spans(query: StatisticsQuery, zones: Iterable[str]) -> Iterable[tuple[str, datetime, datetime, date]]:
    """Yield each zone's days as instants, one where they are put together, and each hour of its nights.

    By our own zone data. Hours, so that rows find their night by what is equal: a join by what lies between
    takes the product of hours and nights.
    """
    begins = NOON if query.span is Span.NIGHT else time()
    for zone in zones:
        clock, day = zone_named(zone), query.since
        length = query.until - query.since if query.span is Span.WHOLE else DAY
        while day < query.until:
            since, until = (datetime.combine(d, begins, clock).astimezone(UTC) for d in (day, day + length))
            if query.span is Span.NIGHT:
                yield from ((zone, hour, hour + HOUR, day) for hour in _hours(since, until))
            else:
                yield zone, since, until, day
            day += length


def _hours(since: datetime, until: datetime) -> Iterable[datetime]:
    """Yield the hours of UTC that begin in [since, until)."""
    hour = since - since.replace(minute=0, second=0, microsecond=0)
    at = since if not hour else since - hour + HOUR
    while at < until:
        yield at
        at += HOUR


def _sql(kind: Kind, query: StatisticsQuery) -> str:
    table = (hours_of if query.span is Span.NIGHT else days_of)(kind).name
    declared = [kind.measurement(name) for name in query.measurements]
    inside = [
        f"{merged(part, f'h.{column_name(m, part)}')} AS {column_name(m, part)}"
        for m in declared
        for part in _summed(m)
    ]
    outside = [f"{expression} AS {m.name}_{name}" for m in declared for name, expression in _told(m).items()]
    day = "NULL::date" if query.span is Span.WHOLE else "s.day"
    # A device has one row a day.
    devices = "count(*)" if query.span is Span.DAY else "count(DISTINCT h.device_id)"
    return f"""
SELECT {", ".join(["r.grouped", "r.day", "r.devices", "r.readings", "r.expected", "r.due", *outside])}
FROM (
    SELECT {_GROUPED} AS grouped, {day} AS day, {devices}::integer AS devices,
        sum(h.readings)::bigint AS readings,
        coalesce(sum(h.expected) FILTER (WHERE h.at < s.ended), 0) AS expected,
        sum(h.readings) FILTER (WHERE h.at < s.ended) AS due, {", ".join(inside)}
    FROM {table} AS h
    INNER JOIN device AS d ON h.device_id = d.id
    INNER JOIN municipality AS m ON m.id = {MUNICIPALITY_AT.format(instant="h.at")}
    LEFT JOIN ground_feature AS g ON d.district_id = g.id AND g.municipality_id = m.id
    LEFT JOIN ground_feature AS t ON d.street_id = t.id AND t.municipality_id = m.id
    INNER JOIN unnest($6::text [], $7::timestamptz [], $8::timestamptz [], $9::date [], $12::timestamptz [])
        AS s (zone, since, until, day, ended)
        ON m.time_zone = s.zone AND {_LIES_IN[query.span]}
    WHERE d.kind = $1 AND h.at >= $10 AND h.at < $11
        AND ($3::text IS NULL OR m.name = $3)
        AND ($4::text IS NULL OR g.name = $4)
        AND ($5::text [] IS NULL OR m.name = ANY($5))
        AND ($13::text IS NULL OR d.name = $13)
    GROUP BY 1, 2
) AS r
ORDER BY r.day, r.grouped
"""


_LIES_IN = {
    Span.WHOLE: "h.at >= s.since AND h.at < s.until",
    Span.DAY: "h.day = s.day",
    Span.NIGHT: "h.at = s.since",
}
"""When a row belongs to a span; of many spans by what is equal, so that the planner can hash them."""

_GROUPED = """CASE $2::text
        WHEN 'municipality' THEN m.name WHEN 'district' THEN g.name WHEN 'street' THEN t.name
        WHEN 'device' THEN d.name ELSE d.attributes ->> $2
    END"""


def _summed(m: Measurement) -> list[Part]:
    left_out = {Part.LAST} | ({Part.SECONDS} if m.type is ValueType.TEXT else set())
    return [part for part in parts_of(m) if part not in left_out]


def _told(m: Measurement) -> dict[str, str]:
    told = {part: f"r.{m.name}_{part}" for part in _TOLD if part in _summed(m)}
    shown: dict[str, str] = {str(part): expression for part, expression in told.items()}
    if mean := average(m, "r."):
        shown["avg"] = mean
    if Part.AREA in parts_of(m):
        shown["mean"] = f"r.{m.name}_area / nullif(r.{m.name}_covered, 0)"
    if Part.CYCLES in parts_of(m):
        shown["cycle_days"] = f"r.{m.name}_covered / {DAY.total_seconds()!r} / nullif(r.{m.name}_cycles, 0)"
    return shown


_TOLD = (Part.COUNT, Part.SUSPECT, Part.MIN, Part.MAX, Part.GROWN, Part.SECONDS, Part.CYCLES)


def _statistics(kind: Kind, measurements: Sequence[str], row: asyncpg.Record) -> GroupStatistics:
    told: dict[str, dict[str, Any]] = {
        name: {part: row[f"{name}_{part}"] for part in _told(kind.measurement(name))} for name in measurements
    }
    return GroupStatistics(
        group=row["grouped"],
        day=row["day"],
        devices=row["devices"],
        readings=row["readings"],
        expected=row["expected"],
        completeness=min(1.0, row["due"] / row["expected"]) if row["expected"] else None,
        measurements=told,
    )
