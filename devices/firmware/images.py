"""Images that are kept: added once they are signed, listed, removed. Must not know HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from devices.firmware.image import FirmwareImage, ImageFacts, is_signed
from devices.instants import Now, to_datetime
from devices.kinds.kind import Kind
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.suggestion import meant
from store import audit
from store.audit import Actor
from store.connection import Connection

_ADD = """
INSERT INTO firmware_image (sha256, kind, version, size, signature, public_key, note, added_at, added_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT DO NOTHING
RETURNING sha256
"""


async def add_image(
    connection: Connection,
    kinds: Mapping[str, Kind],
    facts: ImageFacts,
    *,
    signature: str,
    public_key: str,
    note: str,
    now: Now,
    by: Actor,
) -> FirmwareImage:
    """Keep what is known of an image whose bytes are on the disk already.

    Raises:
        Invalid: its kind is unknown, or its signature is not by that key.
        AlreadyExists: there is one of that kind and version, or the same bytes under another.
    """
    if facts.kind not in kinds:
        raise Invalid("kind", f"{facts.kind!r} is no kind; {meant(facts.kind, kinds)}")
    if not is_signed(facts, signature, public_key):
        raise Invalid("signature", "is not that of this image by this key")
    known = (facts.sha256, facts.kind, facts.version, facts.size, signature, public_key, note.strip()[:500])
    async with connection.transaction():
        if await connection.fetchval(_ADD, *known, to_datetime(now()), by.principal) is None:
            hint = "images do not change: give it another version"
            raise AlreadyExists("firmware image", f"{facts.kind} {facts.version}", hint)
        await audit.record(
            connection,
            by=by,
            municipality=None,
            action="firmware.add",
            subject=f"{facts.kind} {facts.version}",
            after={"sha256": facts.sha256, "size": facts.size, "public_key": public_key},
            now=now(),
        )
    return await get_image(connection, facts.kind, facts.version)


_LIST = """
SELECT
    i.kind, i.version, i.size, i.sha256, i.signature, i.public_key, i.note, author.name AS added_by,
    i.added_at
FROM firmware_image AS i
INNER JOIN named_principal AS author ON i.added_by = author.id
WHERE ($1::text IS NULL OR i.kind = $1) AND ($2::text IS NULL OR i.version = $2)
ORDER BY i.added_at DESC, i.kind, i.version
"""


async def list_images(connection: Connection, kind: str | None = None) -> list[FirmwareImage]:
    """Return every image, the last added first."""
    return [FirmwareImage(**row) for row in await connection.fetch(_LIST, kind, None)]


async def get_image(connection: Connection, kind: str, version: str) -> FirmwareImage:
    """Return one image.

    Raises:
        NotFound: there is none of that kind and version.
    """
    row = await connection.fetchrow(_LIST, kind, version)
    if row is None:
        raise NotFound("firmware image", f"{kind} {version}", "`nabd firmware list` shows them")
    return FirmwareImage(**row)


_USED = "SELECT id FROM rollout WHERE sha256 = $1 ORDER BY id LIMIT 1"
_REMOVE = "DELETE FROM firmware_image WHERE sha256 = $1"


async def remove_image(connection: Connection, kind: str, version: str, now: Now, *, by: Actor) -> str:
    """Forget an image that no rollout has used; return its SHA-256, whose file the caller removes.

    Raises:
        NotFound: there is none of that kind and version.
        Conflict: a rollout has used it.
    """
    image = await get_image(connection, kind, version)
    if (used := await connection.fetchval(_USED, image.sha256)) is not None:
        raise Conflict(f"rollout {used} has used {kind} {version}: it stays, so that it can be told")
    async with connection.transaction():
        await connection.execute(_REMOVE, image.sha256)
        await audit.record(
            connection,
            by=by,
            municipality=None,
            action="firmware.remove",
            subject=f"{kind} {version}",
            before={"sha256": image.sha256},
            now=now(),
        )
    return image.sha256
