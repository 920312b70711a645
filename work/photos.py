"""Photos of an order: added within limits, listed, read. The picture itself is a file (photo_files).

Must not know HTTP, nor what a picture may be (picture).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from devices.instants import to_datetime
from devices.registry.errors import Conflict, NotFound
from store.connection import Connection
from work.change import StoredOrder, WorkStep, locked, store_event
from work.event import WorkEventType
from work.photo_files import PhotoDirectory
from work.picture import Picture
from work.steps import refuse_foreign

MOST_PHOTOS = 20
"""Of one order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPhoto:
    """A photo of an order. width, height in pixels, size in bytes."""

    id: UUID
    author: str
    media_type: str
    width: int
    height: int
    size: int
    sha256: str
    created_at: datetime


_SELECT = """
SELECT p.id, author.name AS author, p.media_type, p.width, p.height, p.size, p.sha256, p.created_at
FROM work_photo AS p
INNER JOIN named_principal AS author ON p.author_id = author.id
"""
_OF_ORDER = _SELECT + "WHERE p.order_id = $1 ORDER BY p.created_at, p.id"


async def photos(connection: Connection, order: int) -> list[WorkPhoto]:
    """Return the photos of an order, the first first."""
    return [WorkPhoto(**row) for row in await connection.fetch(_OF_ORDER, order)]


_ONE = _SELECT + "WHERE p.order_id = $1 AND p.id = $2"


async def get_photo(connection: Connection, order: int, photo: UUID) -> WorkPhoto:
    """Return what is known of a photo of an order.

    Raises:
        NotFound: the order has none of this id.
    """
    row = await connection.fetchrow(_ONE, order, photo)
    if row is None:
        raise NotFound("photo", str(photo))
    return WorkPhoto(**row)


_SAME = "SELECT id FROM work_photo WHERE order_id = $1 AND sha256 = $2"
_COUNT = "SELECT count(*) FROM work_photo WHERE order_id = $1"
_ADD = """
INSERT INTO work_photo (id, order_id, author_id, media_type, width, height, size, sha256, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


async def check_may_add(connection: Connection, order: int, step: WorkStep) -> None:
    """Refuse who may add no photo to an order, before one is unpacked.

    Raises:
        NotFound: there is no such order.
        Conflict: it is somebody else's.
    """
    async with connection.transaction():
        await refuse_foreign(connection, await locked(connection, order), step)


async def add_photo(
    connection: Connection,
    files: PhotoDirectory,
    order: int,
    picture: Picture,
    step: WorkStep,
    *,
    photo: UUID,
) -> WorkPhoto:
    """Add a photo to an order and return it; one that it has already is returned as it is.

    The file is written before the row: a row without a file never is. Where the row cannot be stored the
    file is taken away again; a kill between the two leaves a file that nobody reads.

    Args:
        photo: the id of a new one.

    Raises:
        NotFound: there is no such order.
        Conflict: it has as many as it may, or it is somebody else's.
    """
    async with connection.transaction():
        found = await locked(connection, order)
        await refuse_foreign(connection, found, step)
        same: UUID | None = await connection.fetchval(_SAME, order, picture.sha256)
        if same is not None:
            return await get_photo(connection, order, same)
        if await connection.fetchval(_COUNT, order) >= MOST_PHOTOS:
            raise Conflict(
                f"work order {order} has {MOST_PHOTOS} photos, as many as one may have",
                key="conflict.photos", order=str(order), most=str(MOST_PHOTOS),
            )  # fmt: skip
        try:
            await asyncio.to_thread(files.write, photo, picture.content)
            await _store(connection, found, picture, step, photo)
        except BaseException:
            # Shielded: it is taken away although the request was given up. A commit that fails is not in
            # here: it may have been done.
            await asyncio.shield(asyncio.to_thread(files.remove, photo))
            raise
        return await get_photo(connection, order, photo)


async def _store(
    connection: Connection, order: StoredOrder, picture: Picture, step: WorkStep, photo: UUID
) -> None:
    at = to_datetime(step.now)
    await connection.execute(
        _ADD, photo, order.id, step.by.principal, picture.media_type, picture.width, picture.height,
        len(picture.content), picture.sha256, at,
    )  # fmt: skip
    await store_event(
        connection,
        order,
        WorkEventType.PHOTO_ADDED,
        step,
        verb="add-photo",
        body={"photo": str(photo)},
        happened_at=at,
    )
