"""Who was told of an alert, when and by which channel; and how the channels do."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from alerts import queue
from api.context import UsesConnection, UsesContext, UsesIdentity
from api.http.problems import Problem
from api.http.times import Instant
from api.routes.alerts import AlertId
from notify.outbox import channel_health, told
from notify.outbox.told import DeliveryRecord
from people.roles import Permission

router = APIRouter(tags=["notifications"])


class EscalationOut(BaseModel):
    """How far the telling of an alert is."""

    state: str = Field(
        description="`waiting`: not told yet; `telling`; `acknowledged`: stopped; `ending`: its end is not"
        " told yet; `ended`",
        examples=["telling"],
    )
    waits_for: str | None = Field(
        description="why nobody is told at present: `settling`, `inhibited`, `silenced`, `backlog`,"
        " `no-route`, `nobody`: none of those named can be reached",
        examples=[None],
    )
    route: str | None = Field(
        description="whose plan it follows; null before it is told", examples=["default"]
    )
    step: int = Field(description="of the route's steps, how many were told; more than `steps`: repeated")
    steps: int
    next_at: Instant | None = Field(description="when something is due; null: nothing")


class AttemptOut(BaseModel):
    """One attempt to hand a message over."""

    number: int
    began_at: Instant
    ended_at: Instant | None = Field(
        description="null while it is under way, or when nobody knows its outcome"
    )
    answer: str | None = Field(description="of the service; null also for who may not see names")


class DeliveryOut(BaseModel):
    """One message by one channel to one person."""

    id: str = Field(description="of the message; the same in every attempt")
    person: str | None = Field(description="null where they were deleted, and for who may not see names")
    channel: str = Field(examples=["ntfy"])
    occasion: str | None = Field(examples=["opened"])
    digest: bool = Field(description="one message about several alerts")
    state: str = Field(
        description="`planned`, also before another attempt; `sending`, `delivered`; `refused`: trying again"
        " cannot help; `given-up`; `not-needed`: the alert ended, or was acknowledged, before it was sent",
        examples=["delivered"],
    )
    needed: bool = Field(description="false where nothing had to be said of this alert any more")
    due_at: Instant
    created_at: Instant
    handed_over_at: Instant | None
    answer: str | None = Field(
        description="the last one of the service, or why nothing was sent; null for who may not see names"
    )
    alerts: list[int] = Field(description="which alerts it is about")
    attempts: list[AttemptOut]


class NotificationsOut(BaseModel):
    """Who was told of an alert, and who is yet to be; the oldest first."""

    escalation: EscalationOut | None = Field(description="null: it is not to be told, as after a replay")
    deliveries: list[DeliveryOut]


class ChannelOut(BaseModel):
    """How a channel does by which something was, or is to be, sent."""

    channel: str = Field(examples=["email"])
    answered_at: Instant | None
    answer: str | None = Field(
        description="its last one; null for who may not see the names of all municipalities",
        examples=["250 OK"],
    )
    failing_since: Instant | None = Field(description="null: the last message was handed over")
    waiting: int = Field(description="messages that are due, or failed and are tried again")


class ChannelsOut(BaseModel):
    """How each channel does."""

    channels: list[ChannelOut]


@router.get("/alerts/{alert_id:number}/notifications", summary="Who was told of it, when and how")
async def list_notifications(
    alert_id: AlertId, connection: UsesConnection, identity: UsesIdentity
) -> NotificationsOut:
    """Return how far the telling of an alert is, and every message about it with its attempts."""
    alert = await queue.get_alert(connection, alert_id)
    if alert is None:
        raise Problem(404, "unknown-alert", f"no alert has the number {alert_id}")
    stage = await told.escalation_of(connection, alert_id)
    named = identity.may_in(Permission.READ_NAMES, alert.municipality)
    found = await told.deliveries_of(connection, alert_id)
    return NotificationsOut(
        escalation=None if stage is None else EscalationOut.model_validate(stage, from_attributes=True),
        deliveries=[_out(one, named=named) for one in found],
    )


def _out(found: DeliveryRecord, *, named: bool) -> DeliveryOut:
    """Return a message as somebody may see it: nobody sees addresses here, and not everybody who was told."""
    shown = DeliveryOut.model_validate(found, from_attributes=True)
    if named:
        return shown
    attempts = [attempt.model_copy(update={"answer": None}) for attempt in shown.attempts]
    return shown.model_copy(update={"person": None, "answer": None, "attempts": attempts})


@router.get("/notifications/channels", summary="How the channels do")
async def list_channels(
    context: UsesContext, connection: UsesConnection, identity: UsesIdentity
) -> ChannelsOut:
    """Return the last answer of each channel, and since when it fails."""
    found = await channel_health.health(connection, context.now())
    shown = [ChannelOut.model_validate(one, from_attributes=True) for one in found]
    if not identity.may_in(Permission.READ_NAMES, None):
        shown = [one.model_copy(update={"answer": None}) for one in shown]
    return ChannelsOut(channels=shown)
