"""How devices stand now, as a list that is filtered and sorted here, and as a file of all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from alerts.overview import standings
from alerts.overview.standing import DeviceFilter
from alerts.overview.standings import DeviceStanding, StandingFilter, StandingOrder, StandingStatus
from api.context import AppContext, UsesContext, UsesIdentity
from api.http import exports, files, formats, pages
from api.http.exports import PLACED_FILE
from api.http.formats import Format, Row
from api.http.pages import Limit, Page
from api.http.parquet import CellType, FileColumn, file_columns
from api.http.problems import Problem
from api.http.times import Instant
from api.schemas.searches import Words, words_of
from devices.kinds import Kinds
from devices.kinds.kind import Kind
from people.roles import Permission
from readings.history import suspect

router = APIRouter(tags=["devices"])

ROWS_AT_A_TIME = 2000
COLUMNS = file_columns(
    (
        "name", "title", "kind", "municipality", "district", "street", "lat", "lon", "status", "alerts",
        "observed_at", "received_at", "suspect",
    ),
    number=("lat", "lon"),
    integer=("alerts",),
    time=("observed_at", "received_at"),
    json=("suspect",),
)  # fmt: skip
ALL_MEASUREMENTS = FileColumn(name="measurements", type=CellType.JSON)
"""What stands for the measurements where devices are of several kinds."""


class StandingOut(BaseModel):
    """One device with its newest values; those named in `suspect` are stored but not believed."""

    name: str = Field(examples=["bin-0007"])
    title: str = Field(examples=["Al-Tall square"])
    titles: dict[str, str] = Field(description="by language, where it is called otherwise there")
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
    responses=PLACED_FILE,
    summary="List how devices stand: newest values and open alerts",
)
async def list_standings(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    municipality: Annotated[str | None, Query(max_length=32)] = None,
    district: Annotated[str | None, Query(max_length=64, description="code of a district")] = None,
    kind: Annotated[str | None, Query(max_length=31)] = None,
    words: Words = None,
    status: Annotated[
        StandingStatus | None, Query(description="alerting: with open alerts, not silent; none: never heard")
    ] = None,
    measurement: Annotated[str | None, Query(max_length=63, examples=["fill_pct"])] = None,
    above: Annotated[float | None, Query(allow_inf_nan=False, description="of the measurement")] = None,
    below: Annotated[float | None, Query(allow_inf_nan=False, description="of the measurement")] = None,
    sort: Annotated[StandingOrder, Query(description="highest, lowest: of the measurement")] = (
        StandingOrder.NAME
    ),
    after: Annotated[str | None, Query(max_length=100, description="cursor")] = None,
    limit: Limit = 100,
    format: Annotated[Format | None, Query(description="wins over Accept")] = None,  # noqa: A002
    bom: Annotated[bool, Query(description="CSV with a byte order mark, for Excel")] = False,
) -> Response:
    """Return devices in service as they stand; as a file all that are wanted."""
    if measurement is None and (above is not None or below is not None or sort in _OF_A_VALUE):
        raise Problem(422, "invalid", "measurement: is missing; above, below and sort by value need it")
    wanted = StandingFilter(
        devices=DeviceFilter(
            within=identity.towns(Permission.READ),
            municipality=municipality,
            district=district,
            kinds=(kind,) if kind else (),
            words=words_of(words, context.kinds),
        ),
        status=status,
        measurement=measurement,
        above=above,
        below=below,
    )
    past = None if after is None else _past(after)
    form = format or formats.negotiate(request.headers.get("accept"))
    if form is not Format.JSON:
        declared = context.kinds.get(kind or "")
        measured = _measured(declared) if declared else (ALL_MEASUREMENTS,)
        rows = _exported(context, wanted, sort)
        flat = _flat if declared else None
        return await exports.exported(form, (*COLUMNS, *measured), rows, name="devices", flat=flat, bom=bom)
    async with context.long_query() as connection:
        found = await standings.list_standings(
            connection, context.kinds, wanted, order=sort, past=past, limit=limit + 1
        )
    items = [standing_out(context.kinds, one) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("after", lambda at: _cursor(found[at])))


def _cursor(last: DeviceStanding) -> str:
    return f"{last.key!r}:{last.name}"


def _past(cursor: str) -> tuple[float, str]:
    """Return key and name of the last device of the page before.

    Raises:
        Problem: it is no cursor.
    """
    key, _, name = cursor.partition(":")
    try:
        return float(key), name
    except ValueError:
        raise Problem(422, "invalid", "after: is no cursor that was given here") from None


_OF_A_VALUE = (StandingOrder.HIGHEST, StandingOrder.LOWEST)


def standing_out(kinds: Kinds, found: DeviceStanding) -> StandingOut:
    """Return a device as shown; without suspects where its kind is no longer declared."""
    kind = kinds.get(found.kind)
    known = {name: getattr(found, name) for name in StandingOut.model_fields if name != "suspect"}
    return StandingOut(**known, suspect=list(suspect(kind, found.quality)) if kind else [])


async def _exported(
    context: AppContext, wanted: StandingFilter, order: StandingOrder
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield all of them."""
    past: tuple[float, str] | None = None
    while True:
        # A connection a page, not an answer: a slow client must not hold one.
        async with context.long_query() as connection:
            page = await standings.list_standings(
                connection, context.kinds, wanted, order=order, past=past, limit=ROWS_AT_A_TIME
            )
        if page:
            yield [standing_out(context.kinds, one).model_dump(mode="json") for one in page]
        if len(page) < ROWS_AT_A_TIME:
            return
        past = page[-1].key, page[-1].name


def _measured(kind: Kind) -> list[FileColumn]:
    """Return a column for each measurement; what the device itself measures of its place is told apart."""
    return [replace(one, name=_apart(one.name)) for one in files.measured(kind)]


def _flat(row: Row) -> Row:
    """Make a column of each measurement."""
    return {**row, **{_apart(name): value for name, value in row["measurements"].items()}}


def _apart(name: str) -> str:
    return f"measured_{name}" if any(name == column.name for column in COLUMNS) else name
