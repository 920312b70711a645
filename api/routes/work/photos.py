"""Photos of a work order: one is sent as the body of a request, and read as a file of its own."""

from __future__ import annotations

import asyncio
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Path, Request, Response

from api.author import UsesActor
from api.context import POOL_TIMEOUT_S, UsesContext, UsesIdentity
from api.http.problems import Problem
from api.routes.work.orders import OrderId
from api.schemas.work import WorkPhotoOut, photo_out
from people.roles import Permission
from work import listing, photos, picture
from work.change import WorkStep
from work.photo_files import PhotoDirectory
from work.picture import PhotoTooLarge, Picture

router = APIRouter(tags=["work"])

PhotoId = Annotated[UUID, Path()]
AT_ONCE = asyncio.Semaphore(1)
"""How many photos are unpacked at the same time: each takes up to 250 MB and a processor."""
KEPT_FOR = "private, max-age=86400, immutable"
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            name: {"schema": {"type": "string", "format": "binary"}}
            for name in (*picture.MEDIA_TYPES.values(), "application/octet-stream")
        },
    }
}


@router.post(
    "/work-orders/{order:number}/photos",
    status_code=201,
    openapi_extra=_BODY,
    responses={
        409: {"description": "it has as many as it may, or it is not one's own work"},
        413: {"description": "too many bytes, or pixels"},
    },
    summary="Add a photo",
)
async def add_photo(
    order: OrderId, request: Request, context: UsesContext, identity: UsesIdentity, actor: UsesActor
) -> WorkPhotoOut:
    """Add the photo that is the body: JPEG, PNG or WebP, at most 8 MiB; told by its content.

    It is turned as the camera says, made smaller where it is large, and kept without place, time and camera.
    The same photo again is the same photo.
    """
    files = _files(context.photos)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        town = (await listing.get_order(connection, order)).municipality
        step = WorkStep(
            by=actor, now=context.now(), own_only=not identity.may_in(Permission.DIRECT_WORK, town)
        )
        await photos.check_may_add(connection, order, step)
    # Without a connection: a photo takes long.
    found = await _cleaned(await request.body())
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        added = await photos.add_photo(connection, files, order, found, step, photo=uuid4())
    return photo_out(added)


@router.get(
    "/work-orders/{order:number}/photos/{photo}",
    response_class=Response,
    responses={
        200: {
            "content": {
                name: {"schema": {"type": "string", "format": "binary"}}
                for name in picture.MEDIA_TYPES.values()
            }
        }
    },
    summary="One photo",
)
async def get_photo(order: OrderId, photo: PhotoId, context: UsesContext) -> Response:
    """Return a photo. People may be on it: it is for who may see names."""
    files = _files(context.photos)
    async with context.pool.acquire(timeout=POOL_TIMEOUT_S) as connection:
        found = await photos.get_photo(connection, order, photo)
    headers = {"Cache-Control": KEPT_FOR, "ETag": f'"{found.sha256}"', "Content-Disposition": "inline"}
    content = await asyncio.to_thread(files.read, photo)
    return Response(content, media_type=found.media_type, headers=headers)


async def _cleaned(content: bytes) -> Picture:
    async with AT_ONCE:
        try:
            return await asyncio.to_thread(picture.clean, content)
        except PhotoTooLarge as error:
            raise Problem(413, "too-large", str(error)) from None


def _files(found: PhotoDirectory | None) -> PhotoDirectory:
    if found is None:
        raise Problem(503, "unavailable", "no directory for photos is set: NABD_PHOTO_DIR")
    return found
