"""Work orders: list them, make one, look at one, give it to somebody."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from alerts import queue
from alerts.queue import AlertNotFound
from api.access import in_town, in_town_of_device
from api.author import UsesActor
from api.context import AppContext, UsesConnection, UsesContext, UsesIdentity, UsesLongConnection
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.idempotency import UsesChangeRequest
from api.routes.alerts import unknown_alert
from api.routes.work.wanted import WantedOrders
from api.schemas.work import (
    ChecklistItemShown,
    CrewIn,
    WorkOrderIn,
    WorkOrderOut,
    WorkOrderWithHistoryOut,
    events_out,
    members,
    order_for,
    order_out,
    photo_out,
    reports_out,
    suggested_out,
)
from people.identity import Identity
from people.roles import Permission
from store.connection import Connection
from work import assigning, event, listing, orders, photos, report, suggestions
from work.assigning import Crew
from work.change import WorkStep
from work.checklists import checklist_of
from work.listing import ListOrder
from work.order import OPEN_STATES
from work.orders import NewOrder

router = APIRouter(tags=["work"])

OrderId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/work-orders", response_model=Page[WorkOrderOut], summary="List work orders")
async def list_orders(
    request: Request,
    context: UsesContext,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    chosen: WantedOrders,
    order: Annotated[
        ListOrder, Query(description="newest; or late: whose deadline comes or passed first")
    ] = ListOrder.NEWEST,
    before: Annotated[
        int | None, Query(ge=0, le=2**63 - 1, description="cursor: the last id of the page before")
    ] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return work orders, newest first or in another order."""
    now = context.now()
    found = await listing.list_orders(
        connection, chosen, now=now, order=order, before=before, limit=limit + 1
    )
    items = [order_out(one, now, identity) for one in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"), fields=fields)


@router.post("/work-orders", status_code=201, summary="Make a work order")
async def make_order(
    request: Request,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: WorkOrderIn,
) -> WorkOrderOut:
    """Make an order from alerts of a device, or for a device with a title; an alert is in one open order."""
    await _check(connection, identity, body)

    async def work() -> WorkOrderOut:
        new = NewOrder(
            device=body.device,
            alerts=body.alerts,
            title=body.title,
            severity=body.severity,
            to=Crew(assignee=body.assignee, team=body.team),
        )
        now = context.now()
        made = await orders.make(connection, new, WorkStep(by=actor, now=now))
        return order_out(made, now, identity)

    try:
        made = await command.once(WorkOrderOut, work, body)
    except AlertNotFound as error:
        raise unknown_alert(error.alert_id) from error
    response.headers["Location"] = f"{request.url.path}/{made.id}"
    return made


@router.get("/work-orders/{order:number}", summary="One work order and its history")
async def get_order(
    order: OrderId,
    response: Response,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
) -> WorkOrderWithHistoryOut:
    """Return an order, everything that happened to it, its reports and photos, and who could do it."""
    found = await detail(connection, context, identity, order)
    response.headers["ETag"] = f'"{found.version}"'
    response.headers["Cache-Control"] = pages.CACHE
    return found


@router.post(
    "/work-orders/{order:number}/assign",
    responses={409: {"description": "it is over, or was changed since it was read"}},
    summary="Give it to somebody",
)
async def assign(
    order: OrderId,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: CrewIn,
) -> WorkOrderOut:
    """Give an order to a technician, a team, or nobody; what was accepted must be accepted anew."""

    async def work() -> WorkOrderOut:
        step = WorkStep(by=actor, now=context.now(), version=body.version)
        await assigning.assign(connection, order, Crew(assignee=body.assignee, team=body.team), step)
        return order_out(await listing.get_order(connection, order), context.now(), identity)

    return await command.once(WorkOrderOut, work, body)


async def _check(connection: Connection, identity: Identity, body: WorkOrderIn) -> None:
    """Refuse an order about what lies where the caller makes none."""
    permission = Permission.DIRECT_WORK
    if identity.may_in(permission, None):
        return
    if body.device is not None:
        await in_town_of_device(connection, identity, permission, body.device)
    found = {alert.id: alert for alert in await queue.get_alerts(connection, body.alerts)}
    for number in body.alerts:
        if number not in found:
            raise unknown_alert(number)
        in_town(identity, permission, found[number].municipality, unknown_alert(number))
        # An alert stands where it was opened, and the order where the device stands now.
        await in_town_of_device(connection, identity, permission, found[number].device)


async def detail(
    connection: Connection, context: AppContext, identity: Identity, order: int
) -> WorkOrderWithHistoryOut:
    """Return an order with all that is known of it, as somebody may see it.

    Raises:
        NotFound: there is none of this number.
    """
    found = await listing.get_order(connection, order)
    may_give = identity.may_in(Permission.DIRECT_WORK, found.municipality) and found.state in OPEN_STATES
    items = await checklist_of(connection, context.kinds, order)
    shown = WorkOrderWithHistoryOut(
        **members(found, context.now()),
        events=events_out(await event.history(connection, order)),
        reports=reports_out(await report.reports(connection, order)),
        photos=[photo_out(one) for one in await photos.photos(connection, order)],
        checklist=[ChecklistItemShown(name=one.name, label=dict(one.label)) for one in items],
        suggested=suggested_out(await suggestions.suggested(connection, order)) if may_give else [],
    )
    return order_for(identity, shown)
