"""Images as devices fetch them: by their own password, in pieces, and only what is offered to them.

HTTP Basic with what they sign in with at the broker. Nothing else answers to that.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.responses import FileResponse

from api.context import POOL_TIMEOUT_S, UsesContext
from api.device_identity import signed_in
from api.http.problems import Problem
from devices.firmware.downloads import is_offered
from devices.registry.errors import NotFound

router = APIRouter(tags=["commands"])

KEPT_FOR = "private, max-age=86400, immutable, no-transform"


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
    device = await signed_in(context, request, authorization)
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
