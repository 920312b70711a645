"""What devices of a kind measured together: by district, street, circuit; over days and nights."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from api.context import UsesContext, UsesIdentity, UsesPastConnection
from api.http.problems import Problem
from devices.instants import to_datetime
from devices.kinds.kind import Kind
from people.roles import Permission
from readings.rollups.statistics import (
    GroupStatistics,
    Span,
    StatisticsQuery,
    groups_of,
    local_day,
    statistics,
)

router = APIRouter(tags=["readings"])

FIRST, LAST = date(1970, 1, 1), date(2999, 12, 31)
MONTH = timedelta(days=30)
MOST = timedelta(days=3660)
MOST_ONE_BY_ONE = timedelta(days=366)


class GroupStatisticsOut(BaseModel):
    """One group over one span."""

    group: str | None = Field(description="null: all devices, or those that are in none", examples=["centre"])
    day: date | None = Field(
        description="the local day, or the evening of the night; null for the whole span"
    )
    devices: int = Field(description="of which anything is known")
    readings: int
    expected: float = Field(
        description="how many readings there should be by the devices' intervals, in days that have ended; of"
        " nights: in hours"
    )
    completeness: float | None = Field(
        description="readings of these / expected, at most 1; null where none was due yet", examples=[0.97]
    )
    measurements: dict[str, dict[str, float | None]] = Field(
        description="marked values left out: count, suspect, min, max, avg; mean: weighted by time;"
        " grown: of counters, resets included; seconds: in which it was true; cycles: how often it was"
        " emptied, flew and so on; cycle_days: between two on average",
        examples=[{"energy_kwh": {"count": 2880, "grown": 412.6}}],
    )


class StatisticsOut(BaseModel):
    """Statistics of a kind by group and span."""

    kind: str
    since: date
    until: date
    span: Span
    group: str | None
    units: dict[str, str]
    groups: list[GroupStatisticsOut]


@router.get("/statistics", summary="What devices of a kind measured together")
async def read_statistics(
    context: UsesContext,
    connection: UsesPastConnection,
    identity: UsesIdentity,
    kind: Annotated[str, Query(max_length=31, examples=["light"])],
    measurements: Annotated[
        str | None, Query(max_length=2000, description="names, separated by commas; all without it")
    ] = None,
    group: Annotated[
        str | None,
        Query(
            max_length=64, description="municipality, district, street, device, or a text attribute: circuit"
        ),
    ] = None,
    span: Annotated[Span, Query(description="one row for all, one a day, or one a night (noon to noon)")] = (
        Span.WHOLE
    ),
    since: Annotated[
        date | None, Query(ge=FIRST, le=LAST, description="first local day; 30 before `until` without it")
    ] = None,
    until: Annotated[
        date | None,
        Query(ge=FIRST, le=LAST, description="first day left out; the municipality's today without it"),
    ] = None,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    device: Annotated[str | None, Query(max_length=64, description="of this one alone")] = None,
) -> StatisticsOut:
    """Return what rollups say, so that a year costs what a day does; marked values are left out.

    Compare two spans, or two districts, by asking twice.
    """
    declared = _kind_of(context.kinds.get(kind), kind)
    now = to_datetime(context.now())
    last = until or await local_day(connection, municipality, now)
    first = since or last - MONTH
    query = StatisticsQuery(
        since=first,
        until=last,
        measurements=_chosen(declared, measurements),
        span=span,
        group=_group_of(declared, group),
        municipality=municipality,
        district=district,
        device=device,
        within=identity.towns(Permission.READ),
    )
    _check_span(query)
    return StatisticsOut(
        kind=kind,
        since=first,
        until=last,
        span=span,
        group=group,
        units={name: declared.measurement(name).unit for name in query.measurements},
        groups=[_out(one) for one in await statistics(connection, declared, query, now)],
    )


def _kind_of(found: Kind | None, name: str) -> Kind:
    if found is None:
        raise Problem(422, "invalid", f"kind: {name!r} is no kind of device that reports")
    return found


def _chosen(kind: Kind, measurements: str | None) -> list[str]:
    declared = [m.name for m in kind.measurements]
    wanted = [name.strip() for name in (measurements or "").split(",") if name.strip()]
    for name in wanted:
        if name not in declared:
            raise Problem(422, "invalid", f"measurements: {name!r} is none of {', '.join(declared)}")
    return list(dict.fromkeys(wanted)) or declared


def _group_of(kind: Kind, group: str | None) -> str | None:
    if group is not None and group not in groups_of(kind):
        raise Problem(422, "invalid", f"group: {group!r} is none of {', '.join(groups_of(kind))}")
    return group


def _check_span(query: StatisticsQuery) -> None:
    if query.until <= query.since:
        raise Problem(422, "invalid", "until: must be after since")
    most = MOST if query.span is Span.WHOLE else MOST_ONE_BY_ONE
    if query.until - query.since > most:
        raise Problem(422, "range-too-wide", f"span {query.span} is answered for at most {most.days} days")


def _out(one: GroupStatistics) -> GroupStatisticsOut:
    return GroupStatisticsOut(
        group=one.group,
        day=one.day,
        devices=one.devices,
        readings=one.readings,
        expected=round(one.expected, 3),
        completeness=one.completeness,
        measurements={name: dict(parts) for name, parts in one.measurements.items()},
    )
