"""Readings that platforms post: network servers, context brokers, and whatever else speaks for devices."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http.guards import address_of
from api.http.problems import Problem
from api.routes.incoming.answers import ANSWER_S, REFUSALS, ElementOut, later, outcome_out
from devices.codecs.codec import CodecsAway
from devices.sources.signatures import knows
from devices.sources.source import Source
from devices.sources.webhooks import opened
from people import throttle

router = APIRouter(tags=["readings"])

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="nabd webhooks"'}
_ANY = {"schema": {"type": "object"}}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": _ANY,
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class WebhookElementOut(ElementOut):
    """What became of one reading of a delivery. pointer: into the reading that was made of it."""

    device: str


class WebhookOut(BaseModel):
    """What became of a delivery. copies: frames that were heard before, by other gateways perhaps."""

    stored: int
    rejected: int
    copies: int
    elements: list[WebhookElementOut]


@router.post(
    "/webhooks/{source}",
    openapi_extra=BODY,
    responses=REFUSALS,
    summary="Deliver what a source says of its devices",
)
async def deliver(
    request: Request,
    context: UsesContext,
    source: Annotated[str, Path(max_length=32)],
    event: Annotated[str, Query(max_length=40, description="which event, as ChirpStack says it")] = "",
    i: Annotated[str, Query(max_length=256, description="the device, of UltraLight")] = "",
    k: Annotated[str, Query(max_length=256, description="the key of its service, of UltraLight")] = "-",
) -> WebhookOut:
    """Take a delivery of a source whose way is `webhook`, in the source's format, with its secret.

    The secret is a bearer's token or the password of HTTP Basic, or it signs the body (`X-Hub-Signature-256`,
    or Standard Webhooks). Answered when all of it is committed; after 503, and without an answer, deliver it
    again: nothing is stored twice.
    """
    body = await request.body()
    found = await _source(context, request, source, body)
    if context.deliveries is None:
        raise later("there is no broker: NABD_BROKER names none")
    topic = f"/{k}/{i}/attrs" if i else f"event/{event}"
    try:
        async with asyncio.timeout(ANSWER_S):
            delivered = await context.deliveries.take(found, topic, body)
    except TimeoutError:
        raise later("ingest has sent no receipt") from None
    except CodecsAway as error:
        raise later(str(error)) from error
    elements = [
        WebhookElementOut(device=device, **outcome_out(outcome, outcome.pointer).model_dump())
        for device, outcome in zip(delivered.devices, delivered.outcomes, strict=True)
    ]
    stored = sum(outcome.settled for outcome in delivered.outcomes)
    return WebhookOut(
        stored=stored, rejected=len(elements) - stored, copies=delivered.copies, elements=elements
    )


async def _source(context: AppContext, request: Request, name: str, body: bytes) -> Source:
    """Return whose webhook it is, where the delivery shows that it knows the secret.

    Raises:
        Problem: it does not, or there is no such webhook, which is told alike; who tries often waits.
    """
    now_s = context.real_now() / 1_000_000
    address = throttle.of_address(address_of(request.scope))
    # Not by the name alone: whoever guesses must not keep the platform out.
    counted = ((context.device_addresses, address), (context.device_guesses, f"webhook {name} {address}"))
    wait_s = max(guesses.wait_s(key, now_s) for guesses, key in counted)
    if wait_s > 0:
        raise Problem(429, "too-many-requests", "wrong signatures", headers={"Retry-After": f"{wait_s:.0f}"})
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        found = await opened(connection, name)
    if found is not None and knows(found[1], request.headers, body, now_s):
        return found[0]
    for guesses, key in counted:
        guesses.failed(key, now_s)
    context.metrics.webhooks_refused.labels(name if found else "unknown").inc()
    if found is not None and context.deliveries is not None:
        context.deliveries.refuse(found[0])
    detail = "no enabled webhook of that name, or not its secret: `nabd source edit` gives it one"
    raise Problem(401, "unauthorized", detail, headers=CHALLENGE)
