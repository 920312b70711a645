"""Readings that a device posts itself, as NB-IoT devices do that speak no MQTT."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.device_identity import signed_in
from api.http.problems import Problem
from api.routes.incoming.answers import REFUSALS, ElementsOut, relayed
from devices.credentials.signing_in import KnownDevice
from devices.sources.posting import gateway_for
from devices.wire import MAX_PAYLOAD, posted
from devices.wire.adapters.formats import FORMATS
from devices.wire.posted import PostedElement
from devices.wire.topics import GATEWAY, Channel, Topic

router = APIRouter(tags=["readings"])

JSON = "application/json"
PACKS = {"application/senml+json": "senml_json", "application/senml+cbor": "senml_cbor"}
_ELEMENT = {"type": "object", "properties": {"ts": {"type": ["string", "number"]}}}
_PACK = {"schema": {"type": "array", "items": {"type": "object"}}}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {"oneOf": [_ELEMENT, {"type": "array", "items": _ELEMENT}]},
                "example": [{"ts": "2026-03-01T08:30:00Z", "fill_pct": 42.5}],
            },
            "application/senml+json": _PACK,
            "application/senml+cbor": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post(
    "/telemetry",
    openapi_extra=BODY,
    responses={
        **REFUSALS,
        409: {"description": "nobody relays what this device posts"},
    },
    summary="Post readings of the device that asks",
)
async def post_telemetry(
    request: Request,
    context: UsesContext,
    authorization: Annotated[
        str | None, Header(description="Basic, with what the device signs in with at the broker")
    ] = None,
    content_type: Annotated[str, Header()] = JSON,
) -> ElementsOut:
    """Take readings as on MQTT, an object or an array of up to 1,000; or SenML with names of measurements.

    Answered when all of it is committed: what is `stored` or `rejected` may be forgotten. After 503, and
    without an answer, send the same again: with `ts` in each element nothing is stored twice.
    """
    device = await signed_in(context, request, authorization)
    gateway = await _gateway(context, device)
    body = await request.body()
    if len(body) > MAX_PAYLOAD:
        raise Problem(413, "too-large", f"{len(body):,} bytes: a body has at most {MAX_PAYLOAD:,}")
    elements = _elements(context, device, body, content_type)
    return await relayed(context, gateway, elements)


async def _gateway(context: AppContext, device: KnownDevice) -> Topic:
    """Return as whom the readings are relayed: a gateway is one itself.

    Raises:
        Problem: no gateway of HTTP is among the device's relays.
    """
    if device.kind == GATEWAY:
        return Topic(device.municipality, GATEWAY, device.username, Channel.TELEMETRY)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        found = await gateway_for(connection, device.id)
    if found is None:
        detail = (
            f"no gateway relays what {device.name} posts: `nabd source add http --way webhook --format nabd"
            f" --municipality {device.municipality}`, then `nabd device edit {device.name} --relay http`"
        )
        raise Problem(409, "conflict", detail)
    return found


def _elements(context: AppContext, device: KnownDevice, body: bytes, media_type: str) -> list[PostedElement]:
    """Return the elements of a body.

    Raises:
        Problem: it is not of its format.
    """
    named = media_type.partition(";")[0].strip().lower()
    try:
        if named == JSON:
            own = device.kind != GATEWAY
            return posted.of_body(body, device.kind if own else "", device.username if own else "")
        if named in PACKS:
            kind = context.kinds.get(device.kind)
            return posted.of_pack(FORMATS[PACKS[named]](), body, kind, device.username, context.now())
    except ValueError as error:
        raise Problem(400, "bad-request", str(error)) from error
    detail = f"{named!r} is not read here: {', '.join((JSON, *PACKS))}"
    raise Problem(415, "unsupported-media-type", detail)
