"""The addresses of subscriptions: make, read, change, end. Headers for receivers are taken and never told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.author import UsesActor
from api.context import POOL_TIMEOUT_S, AppContext, UsesConnection, UsesContext, UsesIdentity
from api.standards.ngsi_ld.asked import JSON, JSON_LD, accepted, bad_request, context_url
from api.standards.ngsi_ld.routes import answer
from api.standards.ngsi_ld.subscriptions import endpoint
from api.standards.ngsi_ld.subscriptions.document import (
    PREFIX,
    NotificationWish,
    SubscriptionChanges,
    SubscriptionDocument,
)
from api.standards.ngsi_ld.subscriptions.selection import BadSelection, selection_of
from devices.instants import rfc3339, to_datetime
from devices.publishing import subscriptions
from devices.publishing.subscriptions import EntitySubscription, NewEntitySubscription
from notify.message import Undelivered
from people.roles import Permission

router = APIRouter(prefix="/ngsi-ld/v1/subscriptions", tags=["ngsi-ld"])

Named = Annotated[
    str, Path(max_length=300, examples=["urn:ngsi-ld:Subscription:full"], description="a subscription's id")
]
_OWN_COLUMNS = {"id", "isActive", "expiresAt", "@context"}
_SCHEMA: dict[str, Any] = {"type": "object"}
ONE: dict[int | str, dict[str, Any]] = {
    200: {"content": {form: {"schema": _SCHEMA} for form in (JSON, JSON_LD)}}
}
LISTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {form: {"schema": {"type": "array", "items": _SCHEMA}} for form in (JSON, JSON_LD)}}
}
MADE: dict[int | str, dict[str, Any]] = {
    201: {"description": "made; Location is its address", "content": {}},
    409: {"description": "the id is taken, or there are too many subscriptions"},
}


@router.post("", status_code=201, response_class=Response, responses=MADE, summary="Subscribe to entities")
async def add_subscription(
    request: Request,
    context: UsesContext,
    identity: UsesIdentity,
    actor: UsesActor,
    body: SubscriptionDocument,
) -> Response:
    """Have entities told to an address when they change, as far as the caller's rights go now and later."""
    named = body.id or f"{PREFIX}{uuid4()}"
    url = context_url(request)
    _check(context, body, url)
    await _check_endpoint(context, body.notification)
    new = _new(named, body, identity.towns(Permission.MANAGE_TOKENS), url)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        await subscriptions.add_subscription(connection, new, context.now, by=actor)
    return Response(status_code=201, headers={"Location": f"{router.prefix}/{named}"})


@router.get("", response_class=Response, responses=LISTED, summary="Subscriptions")
async def list_subscriptions(
    request: Request,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    limit: Annotated[int, Query(ge=0, le=subscriptions.MOST)] = subscriptions.MOST,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    count: Annotated[bool, Query(description="say how many there are, in NGSILD-Results-Count")] = False,
) -> Response:
    """Return subscriptions by id: those that tell of nothing but what the caller may give others."""
    within = identity.towns(Permission.MANAGE_TOKENS)
    found = await subscriptions.list_subscriptions(connection, within=within)
    headers = {"NGSILD-Results-Count": str(len(found))} if count else {}
    beside = {"@context": context_url(request)} if accepted(request) == JSON_LD else {}
    page = found[offset : offset + limit]
    return answer(request, [beside | _shown(context, one) for one in page], headers)


@router.get("/{subscription}", response_class=Response, responses=ONE, summary="One subscription")
async def get_subscription(
    request: Request,
    subscription: Named,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
) -> Response:
    """Return one subscription, all but its headers for the receiver, and how it goes with it."""
    within = identity.towns(Permission.MANAGE_TOKENS)
    found = await subscriptions.get_subscription(connection, subscription, within=within)
    return answer(request, _shown(context, found))


@router.patch("/{subscription}", status_code=204, summary="Change a subscription")
async def edit_subscription(
    subscription: Named,
    context: UsesContext,
    identity: UsesIdentity,
    actor: UsesActor,
    body: SubscriptionChanges,
) -> None:
    """Put the members that are given in the place of those before; whose rights count stays.

    Headers for the receiver go to whom they were told for: with another uri they are to be given anew.
    """
    within = identity.towns(Permission.MANAGE_TOKENS)
    if body.notification is not None:
        await _check_endpoint(context, body.notification)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection, connection.transaction():
        kept = await subscriptions.get_subscription(connection, subscription, within=within, lock=True)
        before = _document(kept)
        merged = _merged(before, body)
        _check(context, merged, kept.context)
        moved = merged.notification.endpoint.uri != before["notification"]["endpoint"]["uri"]
        edited = _new(kept.id, merged, kept.towns, kept.context, headers={} if moved else None)
        await subscriptions.edit_subscription(connection, kept, edited, context.now, by=actor)


@router.delete("/{subscription}", status_code=204, summary="End a subscription")
async def remove_subscription(
    subscription: Named,
    context: UsesContext,
    connection: UsesConnection,
    identity: UsesIdentity,
    actor: UsesActor,
) -> None:
    """Tell it nothing more."""
    within = identity.towns(Permission.MANAGE_TOKENS)
    await subscriptions.remove_subscription(connection, subscription, context.now, within=within, by=actor)


def _check(context: AppContext, document: SubscriptionDocument, url: str) -> None:
    """Refuse what cannot be told.

    Raises:
        Problem: 400, a member of it cannot be understood, or lies in the past.
    """
    try:
        selection_of(context.kinds, document, url)
    except BadSelection as error:
        raise bad_request(str(error)) from None
    if document.expires_at is not None and document.expires_at <= to_datetime(context.now()):
        raise bad_request("expiresAt: has passed")


async def _check_endpoint(context: AppContext, wish: NotificationWish) -> None:
    """Refuse who may not be called; finding their address may take seconds.

    Raises:
        Problem: 400.
    """
    try:
        await endpoint.judged(wish.endpoint.uri, targets=context.webhook_targets, resolve=context.resolve)
    except Undelivered as error:
        if error.permanent:  # else it may have an address once there is something to tell
            raise bad_request(f"notification.endpoint.uri: {error}") from None


def _new(
    named: str,
    document: SubscriptionDocument,
    towns: Sequence[str] | None,
    context: str,
    headers: dict[str, str] | None = None,
) -> NewEntitySubscription:
    said = document.model_dump(mode="json", exclude_none=True)
    pairs = said["notification"]["endpoint"].pop("receiverInfo", None)
    if pairs is not None:
        headers = {pair["key"]: pair["value"] for pair in pairs}
    return NewEntitySubscription(
        id=named,
        towns=towns,
        document={name: value for name, value in said.items() if name not in _OWN_COLUMNS},
        context=context,
        uri=document.notification.endpoint.uri,
        is_active=document.is_active,
        expires_at=document.expires_at,
        headers=headers,
    )


def _document(one: EntitySubscription) -> dict[str, Any]:
    """Return what a subscription says, as it was given, without secrets."""
    document = {"id": one.id, **one.document, "isActive": one.is_active}
    return document if one.expires_at is None else document | {"expiresAt": rfc3339(one.expires_at)}


def _merged(before: dict[str, Any], changes: SubscriptionChanges) -> SubscriptionDocument:
    given = changes.model_dump(mode="json", exclude_unset=True)
    merged = {name: value for name, value in (before | given).items() if value is not None}
    try:
        return SubscriptionDocument.model_validate(merged)
    except ValidationError as error:
        listed = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(listed) from None


def _shown(context: AppContext, one: EntitySubscription) -> dict[str, Any]:
    """Return a subscription with how it goes with it (5.2.12, 5.2.14)."""
    document = _document(one)
    over = one.is_over(to_datetime(context.now()))
    stopped = not one.is_active or one.stopped
    document["status"] = "expired" if over else "paused" if stopped else "active"
    reason = one.stopped or (one.failure if one.failures else "")
    if reason:
        document["statusReason"] = reason
    told = {
        "lastNotification": one.last_notified_at,
        "lastSuccess": one.last_success_at,
        "lastFailure": one.last_failure_at,
    }
    document["notification"] = {
        **document["notification"],
        "status": "failed" if one.failures else "ok",
        "timesSent": one.times_sent,
        "timesFailed": one.times_failed,
        **{name: rfc3339(at) for name, at in told.items() if at is not None},
    }
    return document
