"""Figures of a municipality: how soon people came, whether it was in time, and whether it helped."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import in_town
from api.context import UsesContext, UsesIdentity, UsesLongConnection
from api.http import formats
from api.http.formats import Format
from api.http.times import Asked, Instant
from devices.instants import to_datetime
from devices.registry.errors import NotFound
from people.roles import Permission
from work.figures import table
from work.figures.facts import FigureGroup, MunicipalityFigures
from work.figures.reading import FiguresQuery, read_figures
from work.figures.span import PeriodKind

router = APIRouter(tags=["work"])

USUAL = timedelta(days=28)
"""How much of the past is answered where nobody says from when."""


class _FigureOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TimeFiguresOut(_FigureOut):
    """How long something took, and how often it was in time. A figure of nothing is null, never 0."""

    count: int = Field(description="how many were measured")
    median_s: float | None = Field(examples=[1800.0])
    p90_s: float | None = Field(examples=[9000.0])
    within: int = Field(description="with a deadline, and before it")
    missed: int
    share: float | None = Field(description="within of within and missed", examples=[0.9])


class OpenFiguresOut(_FigureOut):
    """Orders that were open at the end of a period."""

    count: int
    overdue: int = Field(description="one of their deadlines had passed")
    by_age: dict[str, int] = Field(examples=[{"under_1d": 3, "over_30d": 1}])


class EffectivenessFiguresOut(_FigureOut):
    """Whether readings showed that repairs helped."""

    verified: int
    reopened: int = Field(description="reported done although the condition went on")
    waiting: int = Field(description="done in the period, and not shown yet")
    share: float | None = Field(description="verified of verified and reopened", examples=[0.85])
    aim: float = Field(description="what the share is to be at least", examples=[0.8])


class AlertFiguresOut(_FigureOut):
    """Alerts of a period."""

    opened: int
    resolved: int
    still_open: int = Field(description="at its end")


class WorkFiguresOut(_FigureOut):
    """The figures of one group in one period."""

    group: str | None = Field(description="null: not grouped, or of what has no team, district or rule")
    from_at: Instant
    until_at: Instant = Field(description="not included")
    made: int
    done: int
    cancelled: int
    reopened: int
    response: TimeFiguresOut
    repair: TimeFiguresOut
    open: OpenFiguresOut
    effectiveness: EffectivenessFiguresOut
    alerts: AlertFiguresOut | None = Field(description="null by team: alerts have none")


class FiguresOut(_FigureOut):
    """The figures of a municipality, by period, then by group."""

    municipality: str = Field(examples=["tripoli"])
    time_zone: str = Field(description="whose weeks and months they are", examples=["Asia/Beirut"])
    from_at: Instant
    until_at: Instant
    by: FigureGroup | None
    per: PeriodKind | None
    figures: list[WorkFiguresOut]


@router.get(
    "/figures",
    response_model=FiguresOut,
    responses={200: {"content": {"text/csv": {}}}},
    summary="Say how soon work was answered and done, and whether it helped",
)
async def get_figures(
    request: Request,
    context: UsesContext,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    municipality: Annotated[str, Query(max_length=32)],
    from_at: Annotated[Asked | None, Query(alias="from", description="28 days ago without it")] = None,
    until: Annotated[Asked | None, Query(description="not included; the present without it")] = None,
    by: FigureGroup | None = None,
    per: Annotated[PeriodKind | None, Query(description="of the municipality's clock")] = None,
    format: Annotated[  # noqa: A002
        Literal["json", "csv"] | None, Query(description="wins over Accept")
    ] = None,
    bom: Annotated[bool, Query(description="CSV: begin with a byte order mark, for Excel")] = False,
) -> Response:
    """Return figures of work orders and alerts. By team only who may see names."""
    if by is FigureGroup.TEAM:
        in_town(identity, Permission.READ_NAMES, municipality, NotFound("municipality", municipality))
    now = to_datetime(context.now())
    until = until or now
    asked = FiguresQuery(
        municipality=municipality, from_at=from_at or until - USUAL, until_at=until, by=by, per=per
    )
    found = await read_figures(connection, asked, now)
    form = Format(format) if format else formats.negotiate(request.headers.get("accept"))
    if form is Format.CSV:
        return _csv(found, bom=bom)
    body = FiguresOut.model_validate(found).model_dump_json()
    return Response(body, media_type="application/json", headers={"Vary": "Accept"})


def _csv(found: MunicipalityFigures, *, bom: bool) -> Response:
    rows = [[row[column] for column in table.COLUMNS] for row in table.flat(found)]
    body = formats.csv_lines([table.COLUMNS, *rows], bom=bom)
    headers = {
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="figures-{found.municipality}.csv"',
    }
    return Response(body, media_type="text/csv; charset=utf-8", headers=headers)
