"""Images as devices fetch them: by their own password, in pieces, and only what is offered to them.

HTTP Basic with what they sign in with at the broker. Nothing else answers to that.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.responses import FileResponse

from api.context import POOL_TIMEOUT_S, AppContext, UsesContext
from api.http.guards import address_of
from api.http.problems import Problem
from devices.firmware.downloads import KnownDevice, is_offered, sign_in
from devices.instants import to_datetime
from devices.registry.errors import NotFound
from people import throttle

router = APIRouter(tags=["commands"])

KEPT_FOR = "private, max-age=86400, immutable, no-transform"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="nabd devices", charset="UTF-8"'}


@router.get(
    "/firmware/{sha256}",
    response_class=Response,
    responses={
        200: {"description": "the whole image", "content": {"application/octet-stream": {}}},
        206: {"description": "the piece that Range names"},
        401: {"description": "not a device in service with its password"},
        404: {"description": "no such image, or it is not offered to this device"},
        416: {"description": "the image is shorter", "content": {"text/plain": {}}},
        429: {"description": "too many wrong passwords"},
    },
    summary="A firmware image, for the devices that it is offered to",
)
async def fetch_image(
    sha256: Annotated[str, Path(max_length=64)],
    request: Request,
    context: UsesContext,
    authorization: Annotated[str | None, Header(description="Basic, with the device's own password")] = None,
) -> Response:
    """Return an image; Range, If-Range and ETag let a device go on where it was cut off."""
    device = await _device(context, request, authorization)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        offered = await is_offered(connection, sha256, device.id)
    missing = Problem(404, "not-found", "no such image is offered to this device")
    if not offered or context.firmware is None:
        raise missing
    try:
        path = await asyncio.to_thread(context.firmware.found, sha256)
    except NotFound:
        raise missing from None
    headers = {"ETag": f'"{sha256}"', "Cache-Control": KEPT_FOR}
    return FileResponse(path, media_type="application/octet-stream", headers=headers)


async def _device(context: AppContext, request: Request, authorization: str | None) -> KnownDevice:
    """Return who asks.

    Raises:
        Problem: nobody who may; guesses are slowed by name, and by address when they are many.
    """
    username, password = _basic(authorization)
    counted = (
        (context.device_addresses, throttle.of_address(address_of(request.scope))),
        (context.device_guesses, f"device {username[:100]}"),
    )
    now_s = context.real_now() / 1_000_000
    wait_s = max(guesses.wait_s(key, now_s) for guesses, key in counted)
    if wait_s > 0:
        raise Problem(429, "too-many-requests", "wrong passwords", headers={"Retry-After": f"{wait_s:.0f}"})
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        device = await sign_in(connection, username, password, to_datetime(context.real_now()))
    if device is None:
        for guesses, key in counted:
            guesses.failed(key, now_s)
        raise Problem(401, "unauthorized", "not a device with its password", headers=CHALLENGE)
    return device


def _basic(authorization: str | None) -> tuple[str, str]:
    """Return user name and password of a header.

    Raises:
        Problem: it shows none.
    """
    scheme, _, encoded = (authorization or "").partition(" ")
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    username, colon, password = decoded.partition(":")
    if scheme.lower() != "basic" or not colon or "\x00" in username:
        raise Problem(401, "unauthorized", "send Authorization: Basic", headers=CHALLENGE)
    return username, password
