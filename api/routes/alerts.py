"""Alerts: the queue, one with its history, acknowledge, comment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field

from alerts import acknowledgement, events, listing, queue
from alerts.acknowledgement import Acknowledgements
from alerts.listing import AlertOrder
from alerts.overview.reporting import count_reporting
from alerts.overview.standing import DeviceFilter
from alerts.queue import AlertNotFound
from alerts.transition import Severity
from api.author import UsesActor
from api.context import AppContext, UsesConnection, UsesContext, UsesIdentity, UsesLongConnection
from api.http import pages
from api.http.pages import Fields, Limit, Page
from api.http.problems import Problem
from api.idempotency import UsesChangeRequest
from api.routes.alerting.wanted import WantedAlerts
from api.schemas.alerts import (
    AlertOut,
    AlertWithHistoryOut,
    alert_for,
    alert_out,
    context_of,
    event_for,
    event_out,
    evidence_out,
    members,
)
from api.schemas.words import NO_CONTROL
from people.identity import Identity
from people.roles import Permission
from store.connection import Connection

router = APIRouter(tags=["alerts"])

AlertId = Annotated[int, Path(ge=1, le=2**63 - 1)]
AlertNumber = Annotated[int, Field(ge=1, le=2**63 - 1)]


class Comment(BaseModel):
    """What somebody wants the others to know."""

    body: str = Field(min_length=1, max_length=4000, pattern=NO_CONTROL, examples=["Crew is on its way"])


class AlertNumbers(BaseModel):
    """Which alerts."""

    alerts: list[AlertNumber] = Field(min_length=1, max_length=500, examples=[[17, 18, 21]])


class AcknowledgementsOut(BaseModel):
    """What became of each alert that was named."""

    changed: Sequence[int] = Field(description="those that are now as asked for")
    unchanged: Sequence[int] = Field(description="those that were so before")
    unknown: Sequence[int] = Field(description="numbers that no alert has")


class CommentOut(BaseModel):
    """The comment's number among the events of alerts."""

    id: int


@router.get("/alerts", response_model=Page[AlertOut], summary="List alerts, newest first")
async def list_alerts(
    request: Request,
    context: UsesContext,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    wanted: WantedAlerts,
    order: AlertOrder = AlertOrder.NEWEST,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1, description="cursor")] = None,
    limit: Limit = 100,
    fields: Fields = None,
) -> Response:
    """Return alerts, newest first or in another order."""
    now = context.now()
    found = await queue.list_page(connection, wanted, order=order, before=before, limit=limit + 1, now=now)
    beside = await context_of(connection, [alert.id for alert in found], now)
    items = [alert_for(identity, alert_out(alert, context.kinds, beside)) for alert in found]
    return pages.answer(request, items, limit=limit, cursor=("before", "id"), fields=fields)


class AlertCountOut(BaseModel):
    """How many alerts have all of this."""

    severity: Severity
    kind: str = Field(examples=["bin"])
    rule: str = Field(examples=["bin-overflow"])
    municipality: str = Field(examples=["tripoli"])
    district: str | None = Field(description="code of a district")
    district_title: dict[str, str] | None
    alerts: int
    unseen: int = Field(description="of them: open, acknowledged by nobody, and explained by no other alert")


class AlertCountsOut(BaseModel):
    """How many alerts there are, and of devices that report how many do."""

    items: list[AlertCountOut]
    devices: int = Field(description="in service, of kinds that report")
    reporting: int = Field(description="of them: heard of, and not silent")


@router.get("/alerts/counts", summary="Count alerts by severity, kind, rule and district")
async def count_alerts(
    context: UsesContext,
    connection: UsesLongConnection,
    identity: UsesIdentity,
    wanted: WantedAlerts,
) -> AlertCountsOut:
    """Return how many alerts there are of those that are asked for."""
    found = await listing.count(connection, wanted, now=context.now())
    devices = DeviceFilter(
        within=wanted.within,
        municipality=wanted.municipality,
        district=wanted.district,
        kinds=(wanted.kind,) if wanted.kind else (),
    )
    heard = await count_reporting(connection, context.kinds, devices)
    return AlertCountsOut(
        items=[AlertCountOut.model_validate(one, from_attributes=True) for one in found],
        devices=heard.devices,
        reporting=heard.reporting,
    )


@router.get("/alerts/{alert_id:number}", summary="One alert and its history")
async def get_alert(
    alert_id: AlertId, context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> AlertWithHistoryOut:
    """Return an alert, what made it fire, and everything that happened to it."""
    alert = await queue.get_alert(connection, alert_id)
    if alert is None:
        raise unknown_alert(alert_id)
    history = await events.history(connection, alert_id)
    beside = await context_of(connection, [alert_id], context.now())
    town = alert.municipality
    shown = AlertWithHistoryOut(
        **members(alert, context.kinds, beside),
        terms=evidence_out(alert, context.kinds.get(alert.kind)),
        history=[event_for(identity, event_out(event), town) for event in history],
    )
    return alert_for(identity, shown)


@router.post("/alerts/{alert_id:number}/acknowledge", summary="Say that a person has seen it")
async def acknowledge(
    alert_id: AlertId,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    command: UsesChangeRequest,
) -> AlertOut:
    """Acknowledge an alert: somebody has seen it, which never means that it is fixed.

    Safe to repeat: the first acknowledgement stays until it is taken back, the severity rises, or it lapses.
    The condition ends by readings alone.
    """

    async def work() -> AlertOut:
        await acknowledgement.acknowledge(connection, [alert_id], by=actor, now=context.now())
        return await one(connection, alert_id, context)

    return await command.once(AlertOut, work)


@router.post("/alerts/{alert_id:number}/unacknowledge", summary="Take an acknowledgement back")
async def unacknowledge(
    alert_id: AlertId,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    command: UsesChangeRequest,
) -> AlertOut:
    """Undo an acknowledgement: the alert is again one that nobody has seen."""

    async def work() -> AlertOut:
        await acknowledgement.withdraw(connection, [alert_id], by=actor, now=context.now())
        return await one(connection, alert_id, context)

    return await command.once(AlertOut, work)


@router.post("/alerts/acknowledge", summary="Say that a person has seen them")
async def acknowledge_many(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: AlertNumbers,
) -> AcknowledgementsOut:
    """Acknowledge up to 500 alerts at once; those that do not exist are named and harm no other."""

    async def work() -> AcknowledgementsOut:
        own, foreign = await _own(connection, identity, body.alerts)
        done = await acknowledgement.acknowledge(connection, own, by=actor, now=context.now())
        return _accounted(done, foreign)

    return await command.once(AcknowledgementsOut, work, body)


@router.post("/alerts/unacknowledge", summary="Take acknowledgements back")
async def unacknowledge_many(
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: AlertNumbers,
) -> AcknowledgementsOut:
    """Take back the acknowledgements that stand; `changed` of an acknowledgement says which were new."""

    async def work() -> AcknowledgementsOut:
        own, foreign = await _own(connection, identity, body.alerts)
        done = await acknowledgement.withdraw(connection, own, by=actor, now=context.now())
        return _accounted(done, foreign)

    return await command.once(AcknowledgementsOut, work, body)


@router.post("/alerts/{alert_id:number}/comments", status_code=201, summary="Comment on it")
async def comment(
    alert_id: AlertId,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: Comment,
) -> CommentOut:
    """Add a comment to the alert's history."""

    async def work() -> CommentOut:
        event = await queue.comment(connection, alert_id, by=actor, body=body.body, now=context.now())
        return CommentOut(id=event)

    try:
        return await command.once(CommentOut, work, body)
    except AlertNotFound as error:
        raise unknown_alert(alert_id) from error


async def _own(
    connection: Connection, identity: Identity, numbers: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Split alerts into those that the caller may answer, and those that do not exist for them."""
    if identity.may_in(Permission.ANSWER_ALERTS, None):
        return list(numbers), []
    found = await queue.get_alerts(connection, numbers)
    own = {a.id for a in found if identity.may_in(Permission.ANSWER_ALERTS, a.municipality)}
    return [n for n in numbers if n in own], [n for n in numbers if n not in own]


def _accounted(done: Acknowledgements, foreign: Sequence[int]) -> AcknowledgementsOut:
    """Return what became of each; what lies elsewhere is answered as what does not exist."""
    unknown = [*done.unknown, *foreign]
    return AcknowledgementsOut(changed=done.changed, unchanged=done.unchanged, unknown=unknown)


async def one(connection: Connection, alert_id: int, context: AppContext) -> AlertOut:
    """Return an alert as shown.

    Raises:
        Problem: no alert has the number.
    """
    alert = await queue.get_alert(connection, alert_id)
    if alert is None:
        raise unknown_alert(alert_id)
    return alert_out(alert, context.kinds, await context_of(connection, [alert_id], context.now()))


def unknown_alert(alert_id: int) -> Problem:
    """Return the problem of a number that no alert has."""
    return Problem(404, "unknown-alert", f"no alert has the number {alert_id}")
