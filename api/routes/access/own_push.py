"""Browsers of whoever is signed in that take messages of alerts and work (Web Push), said by themselves."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.author import UsesActor
from api.context import POOL_TIMEOUT_S, UsesConnection, UsesContext, UsesIdentity
from api.http.languages import negotiate
from api.http.problems import MEDIA_TYPE, Problem
from api.http.times import Instant
from api.schemas.words import NO_CONTROL
from notify.channels.vapid import vapid_key
from notify.message import Undelivered
from notify.texts.trial import trial_message
from people.browsers import subscriptions
from people.browsers.labels import browser_of
from people.browsers.subscriptions import (
    ENDPOINT_LENGTH,
    MOST_BROWSERS,
    NewPushSubscription,
    PushSubscription,
)
from people.person import person_of
from store import audit

router = APIRouter(tags=["sign-in"])

CHANNEL = "web-push"

Endpoint = Annotated[
    str,
    Field(
        min_length=1,
        max_length=ENDPOINT_LENGTH,
        pattern=NO_CONTROL,
        examples=["https://updates.push.services.mozilla.com/wpush/v2/gAAAA"],
    ),
]


class PushKeyOut(BaseModel):
    """By which this installation is known to push services."""

    key: str = Field(description="applicationServerKey: public, base64url", examples=["BCVxsr7N_eNg"])


class BrowserKeys(BaseModel):
    """Keys of a browser that messages are encrypted with, base64url."""

    model_config = ConfigDict(extra="forbid")

    p256dh: str = Field(max_length=120, pattern=NO_CONTROL, examples=["BCVxsr7N_eNg"])
    auth: str = Field(max_length=40, pattern=NO_CONTROL, examples=["BTBZMqHH6r4Tts7J_aSIgg"])


class PushSubscriptionIn(BaseModel):
    """What a browser subscribed with, as its toJSON() says it."""

    model_config = ConfigDict(extra="forbid", validate_by_name=True)

    endpoint: Endpoint
    expires: float | None = Field(
        default=None, alias="expirationTime", allow_inf_nan=False, description="not looked at"
    )
    keys: BrowserKeys


class PushEndpoint(BaseModel):
    """Which browser is meant."""

    model_config = ConfigDict(extra="forbid")

    endpoint: Endpoint


class PushSubscriptionOut(BaseModel):
    """A browser that takes messages; the rest of its endpoint stays with us."""

    id: int
    endpoint_host: str = Field(examples=["updates.push.services.mozilla.com"])
    endpoint_digest: str = Field(description="SHA-256 of the endpoint, in hex: a browser knows its own by it")
    browser: str = Field(examples=["Firefox, Android"])
    created_at: Instant
    last_used_at: Instant | None = Field(description="when its push service last took a message")
    failed_at: Instant | None = Field(description="when it last did not; null: it has taken one since")


class PushSubscriptionsOut(BaseModel):
    """All browsers of somebody that take messages."""

    items: list[PushSubscriptionOut] = Field(max_length=MOST_BROWSERS)


NOT_OFFERED: dict[int | str, dict[str, Any]] = {
    404: {
        "description": "browsers take no messages here",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}


@router.get("/push/key", summary="By which key do browsers subscribe?", responses=NOT_OFFERED)
async def get_push_key(context: UsesContext, connection: UsesConnection) -> PushKeyOut:
    """Return the public key of this installation; it stays the same."""
    _offered(context.web_push)
    return PushKeyOut(key=(await vapid_key(connection, context.real_now())).public)


@router.get("/session/push", summary="Which of my browsers take messages?")
async def list_own_push(identity: UsesIdentity, connection: UsesConnection) -> PushSubscriptionsOut:
    """Return my browsers that take messages, in the order they subscribed."""
    found = await subscriptions.list_of(connection, identity.principal)
    return PushSubscriptionsOut(items=[_out(one) for one in found])


@router.post("/session/push", status_code=201, summary="Let this browser take messages")
async def add_own_push(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
    body: PushSubscriptionIn,
) -> PushSubscriptionOut:
    """Keep a subscription of this browser; said again it is the same one. A person has ten at most."""
    _offered(context.web_push)
    me = await person_of(connection, identity.principal)
    new = NewPushSubscription(
        endpoint=body.endpoint,
        p256dh=body.keys.p256dh,
        auth=body.keys.auth,
        browser=browser_of(request.headers.get("user-agent", "")),
        session=identity.session,
    )
    return _out(await subscriptions.subscribe(connection, me.name, new, by=actor, now=context.real_now()))


@router.delete("/session/push", status_code=204, summary="Let browsers take messages no more")
async def remove_own_push(
    context: UsesContext,
    identity: UsesIdentity,
    connection: UsesConnection,
    actor: UsesActor,
    body: PushEndpoint | None = None,
    number: Annotated[int | None, Query(alias="id", ge=1, le=2**31 - 1)] = None,
    every: Annotated[bool, Query(alias="all", description="all of mine")] = False,
) -> None:
    """Forget one of my browsers, by `id` or by the endpoint in the body, or all of them."""
    if number is None and body is None and not every:
        # Some proxies take the body of a DELETE away.
        raise Problem(422, "invalid", "say which: ?id=, an endpoint in the body, or ?all=true")
    me = await person_of(connection, identity.principal)
    endpoint = None if body is None else body.endpoint
    await subscriptions.unsubscribe(
        connection, me, number=number, endpoint=endpoint, by=actor, now=context.real_now()
    )


@router.post(
    "/session/push/test",
    status_code=204,
    responses={409: {"description": "its push service did not take it"}},
    summary="Send a test to this browser",
)
async def try_own_push(
    context: UsesContext,
    identity: UsesIdentity,
    actor: UsesActor,
    body: PushEndpoint,
    accept_language: Annotated[str | None, Header(max_length=200)] = None,
) -> None:
    """Send a browser of mine, by its endpoint, a message that says that nothing is the matter."""
    _offered(context.web_push)
    channel = context.channels.get(CHANNEL)
    if channel is None:
        raise Problem(404, "not-found", f"{CHANNEL} is not set up here")
    message = trial_message(f"test-{uuid4()}", CHANNEL, negotiate(accept_language))
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection, connection.transaction():
        mine = await subscriptions.list_of(connection, identity.principal)
        found = next((one.id for one in mine if one.endpoint == body.endpoint), None)
        if found is None:
            raise Problem(404, "not-found", "this browser takes no messages of yours: let it first")
        await audit.record(
            connection,
            by=actor,
            municipality=None,
            action="notification.test",
            subject=CHANNEL,
            after={"message": message.id},
            now=context.now(),
        )
    try:
        await channel.send(message, subscriptions.address_of(found))
    except Undelivered as refused:
        raise Problem(409, "conflict", f"its push service did not take it: {refused}") from None


def _offered(web_push: bool) -> None:
    if not web_push:
        raise Problem(404, "not-found", "web-push is not set up here: NABD_WEB_PUSH is false")


def _out(subscription: PushSubscription) -> PushSubscriptionOut:
    own = ("endpoint_host", "endpoint_digest")
    said = {name: getattr(subscription, name) for name in PushSubscriptionOut.model_fields if name not in own}
    digest = sha256(subscription.endpoint.encode()).hexdigest()
    return PushSubscriptionOut(endpoint_host=subscription.host, endpoint_digest=digest, **said)
