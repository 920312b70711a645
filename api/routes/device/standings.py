"""How devices stand now, as a list that is filtered and sorted here, and as a file of all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from alerts import standings
from alerts.standings import Standing, StandingFilter, StandingOrder, StandingStatus
from api.context import AppContext, UsesContext, UsesIdentity
from api.http import exports, formats, pages
from api.http.formats import Format
from api.http.pages import Limit, Page
from api.http.problems import Problem
from api.http.times import Instant
from api.schemas.searches import words_of
from devices.kinds import Kinds
from people.roles import Permission
from readings.history import suspect

router = APIRouter(tags=["devices"])

FURTHEST = 100_000
"""How many devices may stand before a page; more are found by a narrower filter."""
ROWS_AT_A_TIME = 2000
COLUMNS = (
    "name", "title", "kind", "municipality", "district", "street", "lat", "lon", "status", "alerts",
    "observed_at", "received_at", "suspect",
)  # fmt: skip


class StandingOut(BaseModel):
    """One device with its newest values; those named in `suspect` are stored but not believed."""

    name: str = Field(examples=["bin-0007"])
    title: str = Field(examples=["Al-Tall square"])
    kind: str = Field(examples=["bin"])
    municipality: str = Field(examples=["tripoli"])
    district: str | None = Field(description="code")
    district_title: dict[str, str]
    street: str | None = Field(description="code")
    street_title: dict[str, str]
    lat: float | None
    lon: float | None
    status: str = Field(
        description="silent, the severity of its worst open alert, ok, or none: never heard", examples=["ok"]
    )
    alerts: int = Field(description="how many are open")
    observed_at: Instant | None
    received_at: Instant | None
    suspect: list[str] = []
    measurements: dict[str, Any] = Field(examples=[{"fill_pct": 61.5}])


@router.get(
    "/standings",
    response_model=Page[StandingOut],
    responses={200: {"content": {"text/csv": {}, "application/x-ndjson": {}}}},
    summary="List how devices stand: newest values and open alerts",
)
async def list_standings(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    words: Annotated[
        str | None, Query(max_length=100, description="each in name, title, or names of district and street")
    ] = None,
    status: Annotated[
        StandingStatus | None, Query(description="alerting: with open alerts, not silent; none: never heard")
    ] = None,
    measurement: Annotated[str | None, Query(max_length=63, examples=["fill_pct"])] = None,
    above: Annotated[float | None, Query(allow_inf_nan=False, description="of the measurement")] = None,
    below: Annotated[float | None, Query(allow_inf_nan=False, description="of the measurement")] = None,
    sort: Annotated[StandingOrder, Query(description="highest, lowest: of the measurement")] = (
        StandingOrder.NAME
    ),
    skip: Annotated[int, Query(ge=0, le=FURTHEST, description="cursor")] = 0,
    limit: Limit = 100,
    format: Annotated[Format | None, Query(description="wins over Accept")] = None,  # noqa: A002
    bom: Annotated[bool, Query(description="CSV with a byte order mark, for Excel")] = False,
) -> Response:
    """Return devices in service as they stand; as CSV or NDJSON all that are wanted."""
    if measurement is None and (above is not None or below is not None or sort in _OF_A_VALUE):
        raise Problem(422, "invalid", "measurement: is missing; above, below and sort by value need it")
    wanted = StandingFilter(
        municipality=municipality,
        district=district,
        kind=kind,
        words=words_of(words, context.kinds),
        status=status,
        measurement=measurement,
        above=above,
        below=below,
        within=identity.towns(Permission.READ),
    )
    form = format or formats.negotiate(request.headers.get("accept"))
    if form is not Format.JSON:
        declared = context.kinds.get(kind or "")
        names = [one.name for one in declared.measurements] if declared else ["measurements"]
        rows = _exported(context, wanted, sort, flat=declared is not None and form is Format.CSV)
        return await exports.exported(form, (*COLUMNS, *names), rows, name="devices", bom=bom)
    async with context.long_query() as connection:
        found = await standings.list_standings(connection, wanted, order=sort, skip=skip, limit=limit + 1)
    items = [standing_out(context.kinds, one) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("skip", skip + limit))


_OF_A_VALUE = (StandingOrder.HIGHEST, StandingOrder.LOWEST)


def standing_out(kinds: Kinds, found: Standing) -> StandingOut:
    """Return a device as shown; without suspects where its kind is no longer declared."""
    kind = kinds.get(found.kind)
    known = {name: getattr(found, name) for name in StandingOut.model_fields if name != "suspect"}
    return StandingOut(**known, suspect=list(suspect(kind, found.quality)) if kind else [])


async def _exported(
    context: AppContext, wanted: StandingFilter, order: StandingOrder, *, flat: bool
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield all of them; flat: each measurement is a column of its own."""
    skip = 0
    while True:
        # A connection a page, not an answer: a slow client must not hold one.
        async with context.long_query() as connection:
            page = await standings.list_standings(
                connection, wanted, order=order, skip=skip, limit=ROWS_AT_A_TIME
            )
        if page:
            rows = [standing_out(context.kinds, one).model_dump(mode="json") for one in page]
            yield [row | row["measurements"] if flat else row for row in rows]
        if len(page) < ROWS_AT_A_TIME:
            return
        skip += len(page)
