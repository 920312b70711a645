"""A test of a channel: one message that says that nothing is the matter, to an address."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import POOL_TIMEOUT_S, UsesContext
from api.http.problems import Problem
from api.schemas.words import NO_CONTROL
from devices.texts.languages import DEFAULT, Language
from notify.message import Undelivered
from notify.texts.trial import trial_message
from store import audit

router = APIRouter(tags=["alerts"])


class ChannelTrial(BaseModel):
    """Which channel, and whom."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(min_length=1, max_length=31, pattern=NO_CONTROL, examples=["email"])
    to: str = Field(min_length=1, max_length=2000, pattern=NO_CONTROL, examples=["amal@example.org"])
    language: Language = DEFAULT


class ChannelTrialOut(BaseModel):
    """What the service answered."""

    channel: str
    answer: str = Field(examples=["250 2.0.0 queued as 4XyZ"])


@router.post("/notifications/test", summary="Send a test by a channel")
async def send_test(context: UsesContext, actor: UsesActor, body: ChannelTrial) -> ChannelTrialOut:
    """Send one message that says that nothing is the matter, and return what the service answered."""
    channel = context.channels.get(body.channel)
    if channel is None:
        known = ", ".join(context.channels) or "none"
        raise Problem(404, "not-found", f"{body.channel!r} is not set up here; channels are: {known}")
    message = trial_message(f"test-{uuid4()}", body.channel, body.language)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection, connection.transaction():
        await audit.record(
            connection,
            by=actor,
            municipality=None,
            action="notification.test",
            subject=body.channel,
            after={"message": message.id},
            now=context.now(),
        )
    try:
        answer = await channel.send(message, body.to)
    except Undelivered as refused:
        raise Problem(409, "conflict", f"{body.channel} did not take it: {refused}") from None
    return ChannelTrialOut(channel=body.channel, answer=answer)
