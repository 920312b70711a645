"""Alerts, work orders and readings as files: all that is asked for, not a page of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from alerts import queue
from alerts.listing import AlertFilter
from api.context import AppContext, UsesContext, UsesIdentity
from api.http import exports, files
from api.http.exports import FILE, PLACED_FILE
from api.http.formats import Format, begun
from api.http.languages import negotiate
from api.http.parquet import file_columns
from api.http.problems import Problem
from api.http.times import Asked
from api.routes.alerting.wanted import WantedAlerts
from api.routes.work.wanted import WantedOrders
from api.schemas.alerts import alert_for, alert_out, context_of
from api.schemas.work import order_out
from devices.instants import to_datetime
from devices.registry import registry
from devices.registry.errors import NotFound
from devices.texts.languages import Language
from people.identity import Identity
from readings.stored.export import ReadingExport, export
from work import listing
from work.listing import WorkFilter

router = APIRouter(tags=["alerts"])

ROWS_AT_A_TIME = 500
LONGEST = timedelta(days=31)
"""Of readings in one file; `nabd export readings` writes longer ones."""
ALERTS = file_columns(
    (
        "id", "device", "device_title", "kind", "municipality", "district", "rule", "severity", "state",
        "sentence", "opened_at", "detected_at", "resolved_at", "acknowledged_at", "acknowledged_by",
        "assigned_to", "work_order", "work_state", "lat", "lon",
    ),
    number=("lat", "lon"),
    integer=("id", "work_order"),
    time=("opened_at", "detected_at", "resolved_at", "acknowledged_at"),
)  # fmt: skip
ORDERS = file_columns(
    (
        "id", "device", "kind", "municipality", "district", "origin", "rule", "severity", "title", "state",
        "assignee", "team", "created_at", "response_due_at", "repair_due_at", "overdue", "accepted_at",
        "arrived_at", "ended_at", "reopened", "verification", "alerts", "lat", "lon",
    ),
    number=("lat", "lon"),
    integer=("id", "reopened"),
    json=("overdue", "alerts"),
    time=("created_at", "response_due_at", "repair_due_at", "accepted_at", "arrived_at", "ended_at"),
)  # fmt: skip

FileFormat = Annotated[Literal[Format.CSV, Format.NDJSON, Format.PARQUET], Query(alias="format")]
PlacedFormat = Annotated[
    Literal[Format.CSV, Format.NDJSON, Format.PARQUET, Format.GEOJSON], Query(alias="format")
]
Mark = Annotated[bool, Query(description="CSV with a byte order mark, for Excel")]


@router.get(
    "/exports/alerts",
    response_class=StreamingResponse,
    responses=PLACED_FILE,
    summary="All alerts that are asked for, as a file",
)
async def export_alerts(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    wanted: WantedAlerts,
    form: PlacedFormat = Format.CSV,
    bom: Mark = False,
    lang: Annotated[
        Language | None, Query(description="of sentences in all but NDJSON; wins over Accept-Language")
    ] = None,
) -> StreamingResponse:
    """Return alerts, newest first; with the filters of GET /alerts."""
    language = lang or negotiate(request.headers.get("accept-language"))
    rows = _alerts(context, identity, wanted, None if form is Format.NDJSON else language)
    return await exports.exported(form, ALERTS, rows, name="alerts", bom=bom)


async def _alerts(
    context: AppContext, identity: Identity, wanted: AlertFilter, language: Language | None
) -> AsyncIterator[list[dict[str, Any]]]:
    """Yield them; language: of the one sentence of each, None leaves all of them."""
    before: int | None = None
    while True:
        now = context.now()
        # A connection a page, not an answer: a slow client must not hold one.
        async with context.long_query() as connection:
            page = await queue.list_page(connection, wanted, before=before, limit=ROWS_AT_A_TIME, now=now)
            beside = await context_of(connection, [alert.id for alert in page], now)
        shown = [alert_for(identity, alert_out(alert, context.kinds, beside)) for alert in page]
        rows = [alert.model_dump(mode="json") for alert in shown]
        if rows:
            yield [row | {"sentence": row["summary"].get(language)} for row in rows] if language else rows
        if len(page) < ROWS_AT_A_TIME:
            return
        before = page[-1].id


@router.get(
    "/exports/work-orders",
    response_class=StreamingResponse,
    responses=PLACED_FILE,
    summary="All work orders that are asked for, as a file",
)
async def export_orders(
    context: UsesContext,
    identity: UsesIdentity,
    wanted: WantedOrders,
    form: PlacedFormat = Format.CSV,
    bom: Mark = False,
) -> StreamingResponse:
    """Return work orders, newest first; with the filters of GET /work-orders."""
    rows = _orders(context, identity, wanted)
    return await exports.exported(form, ORDERS, rows, name="work-orders", bom=bom)


async def _orders(
    context: AppContext, identity: Identity, wanted: WorkFilter
) -> AsyncIterator[list[dict[str, Any]]]:
    before: int | None = None
    while True:
        now = context.now()
        async with context.long_query() as connection:
            page = await listing.list_orders(connection, wanted, now=now, before=before, limit=ROWS_AT_A_TIME)
        if page:
            yield [order_out(one, now, identity).model_dump(mode="json") for one in page]
        if len(page) < ROWS_AT_A_TIME:
            return
        before = page[-1].id


@router.get(
    "/exports/readings",
    response_class=StreamingResponse,
    responses=FILE,
    summary="All readings of one kind in a municipality, as a file",
)
async def export_readings(
    context: UsesContext,
    municipality: Annotated[str, Query(max_length=32)],
    kind: Annotated[str, Query(max_length=31, examples=["bin"])],
    start: Annotated[Asked | None, Query(description="first instant; a day before `end` without it")] = None,
    end: Annotated[Asked | None, Query(description="first instant left out; now without it")] = None,
    form: FileFormat = Format.CSV,
    bom: Mark = False,
) -> StreamingResponse:
    """Return readings observed in [start, end) while their device stood there, by device and instant."""
    declared = context.kinds.get(kind)
    if declared is None:
        raise NotFound("kind", kind, "GET /kinds lists them")
    until = end or to_datetime(context.now())
    since = start or until - timedelta(days=1)
    if not timedelta(0) < until - since <= LONGEST:
        raise Problem(422, "invalid", f"end: must be after start, by {LONGEST.days} days at most")
    async with context.long_query() as connection:
        town = await registry.get_municipality(connection, municipality)
    wanted = ReadingExport(kind=declared, municipality_id=town.id, start=since, end=until)
    rows = await begun(page.rows async for page in export(context.past_query, wanted))
    body = files.readings_body(form, declared, rows, bom=bom)
    return exports.response_of(form, body, name=f"{municipality}-{kind}-{since:%Y-%m-%d}")
