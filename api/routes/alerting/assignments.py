"""Whose work an alert is: assign it to a person, take it over."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from alerts import assignment, queue
from alerts.queue import AlertNotFound
from api.author import UsesActor
from api.context import AppContext, UsesConnection, UsesContext, UsesIdentity
from api.idempotency import UsesChangeRequest
from api.routes.alerts import AlertId, one, unknown_alert
from api.schemas.alerts import AlertOut
from devices.registry.errors import Conflict
from people.person import person_of
from store.audit import Actor
from store.connection import Connection
from work import suggestions

router = APIRouter(tags=["alerts"])


class Assignment(BaseModel):
    """To whom."""

    to: str | None = Field(max_length=63, examples=["rima"], description="name of a person; null: to nobody")


@router.post("/alerts/{alert_id:number}/assign", summary="Say whose work it is")
async def assign(
    alert_id: AlertId,
    context: UsesContext,
    connection: UsesConnection,
    actor: UsesActor,
    command: UsesChangeRequest,
    body: Assignment,
) -> AlertOut:
    """Assign an alert to anybody with a role where it was opened, or to nobody; safe to repeat.

    While it is assigned, its acknowledgement does not lapse by age.
    """

    async def work() -> AlertOut:
        return await _assign(connection, alert_id, body.to, actor, context)

    return await command.once(AlertOut, work, body)


@router.post(
    "/alerts/{alert_id:number}/take",
    responses={409: {"description": "a token asks, which is no person"}},
    summary="Take it over",
)
async def take(
    alert_id: AlertId,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
    command: UsesChangeRequest,
) -> AlertOut:
    """Assign an alert to oneself, whoever had it before; safe to repeat."""
    if identity.kind != "person":
        raise Conflict(
            "a token is no person: only people who are signed in take an alert over",
            key="conflict.token_takes",
        )

    async def work() -> AlertOut:
        me = await person_of(connection, identity.principal)
        return await _assign(connection, alert_id, me.name, actor, context)

    return await command.once(AlertOut, work)


class CandidateOut(BaseModel):
    """Somebody to whom an alert could be given."""

    name: str = Field(examples=["rima"])
    display_name: str = Field(examples=["ريما حداد"])
    technician: bool = Field(description="one who works; else one who directs")
    knows_kind: bool = Field(description="the device's kind is among their skills")
    knows_district: bool
    open_orders: int = Field(description="how many they have already")


class CandidatesOut(BaseModel):
    """Those to whom an alert could be given, the most suitable first."""

    items: list[CandidateOut]


@router.get("/alerts/{alert_id:number}/people", summary="To whom could it be given?")
async def list_candidates(alert_id: AlertId, connection: UsesConnection) -> CandidatesOut:
    """Return people with a role where the alert was opened: technicians, then those who direct them."""
    if await queue.get_alert(connection, alert_id) is None:
        raise unknown_alert(alert_id)
    found = await suggestions.candidates(connection, alert_id)
    return CandidatesOut(items=[CandidateOut.model_validate(one, from_attributes=True) for one in found])


async def _assign(
    connection: Connection, alert_id: int, to: str | None, actor: Actor, context: AppContext
) -> AlertOut:
    try:
        await assignment.assign(connection, alert_id, to, by=actor, now=context.now())
    except AlertNotFound as error:
        raise unknown_alert(alert_id) from error
    return await one(connection, alert_id, context)
