"""Alerts and work orders as files: all that is asked for, not a page of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from alerts import queue
from alerts.listing import AlertFilter
from api.context import AppContext, UsesContext, UsesIdentity
from api.http import exports
from api.http.formats import Format
from api.http.languages import negotiate
from api.routes.alerting.wanted import WantedAlerts
from api.routes.work.wanted import WantedOrders
from api.schemas.alerts import alert_for, alert_out, context_of
from api.schemas.work import order_out
from devices.texts.languages import Language
from people.identity import Identity
from work import listing
from work.listing import WorkFilter

router = APIRouter(tags=["alerts"])

ROWS_AT_A_TIME = 500
ALERTS = (
    "id", "device", "device_title", "kind", "municipality", "district", "rule", "severity", "state",
    "sentence", "opened_at", "detected_at", "resolved_at", "acknowledged_at", "acknowledged_by",
    "assigned_to", "work_order", "work_state",
)  # fmt: skip
ORDERS = (
    "id", "device", "kind", "municipality", "district", "origin", "rule", "severity", "title", "state",
    "assignee", "team", "created_at", "response_due_at", "repair_due_at", "overdue", "accepted_at",
    "arrived_at", "ended_at", "reopened", "verification", "alerts",
)  # fmt: skip

FileFormat = Annotated[Literal["csv", "ndjson"], Query(alias="format")]
Mark = Annotated[bool, Query(description="CSV with a byte order mark, for Excel")]
FILE: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}, "application/x-ndjson": {}}}}


@router.get(
    "/exports/alerts",
    response_class=StreamingResponse,
    responses=FILE,
    summary="All alerts that are asked for, as a file",
)
async def export_alerts(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    wanted: WantedAlerts,
    form: FileFormat = "csv",
    bom: Mark = False,
    lang: Annotated[
        Language | None, Query(description="of sentences in CSV; wins over Accept-Language")
    ] = None,
) -> StreamingResponse:
    """Return alerts, newest first; with the filters of GET /alerts."""
    language = lang or negotiate(request.headers.get("accept-language"))
    rows = _alerts(context, identity, wanted, language if form == "csv" else None)
    return await exports.exported(Format(form), ALERTS, rows, name="alerts", bom=bom)


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
    responses=FILE,
    summary="All work orders that are asked for, as a file",
)
async def export_orders(
    context: UsesContext,
    identity: UsesIdentity,
    wanted: WantedOrders,
    form: FileFormat = "csv",
    bom: Mark = False,
) -> StreamingResponse:
    """Return work orders, newest first; with the filters of GET /work-orders."""
    rows = _orders(context, identity, wanted)
    return await exports.exported(Format(form), ORDERS, rows, name="work-orders", bom=bom)


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
