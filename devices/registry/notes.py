"""Notes on a device: what people wrote about it, kept as it was written. Must not know who may read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.instants import Now, to_datetime
from devices.registry.errors import Invalid
from devices.registry.registry import get_device
from store import audit
from store.audit import Actor
from store.connection import Connection

NOTE_LENGTH = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceNote:
    """What somebody wrote about a device, and when."""

    id: int
    device: str
    author: str
    written_at: datetime
    body: str


_WRITE = """
WITH written AS (
    INSERT INTO device_note (device_id, author_id, written_at, body) VALUES ($1, $2, $3, $4)
    RETURNING id, device_id, author_id, written_at, body
)

SELECT written.id, device.name AS device, author.name AS author, written.written_at, written.body
FROM written
INNER JOIN device ON written.device_id = device.id
INNER JOIN named_principal AS author ON written.author_id = author.id
"""


async def write_note(connection: Connection, device: str, body: str, now: Now, *, by: Actor) -> DeviceNote:
    """Keep a note on a device.

    Raises:
        NotFound: there is no such device.
        Invalid: nothing is said, or too much.
    """
    body = body.strip()
    if not 1 <= len(body) <= NOTE_LENGTH:
        raise Invalid("body", f"write something, {NOTE_LENGTH} characters at most")
    about = await get_device(connection, device)
    async with connection.transaction():
        row = await connection.fetchrow(_WRITE, about.id, by.principal, to_datetime(now()), body)
        assert row is not None, "a row that was written"
        await audit.record(
            connection,
            by=by,
            municipality=about.municipality_id,
            action="device.note",
            subject=about.name,
            after={"note": row["id"]},
            now=now(),
        )
    return DeviceNote(**row)


_LIST = """
SELECT note.id, device.name AS device, author.name AS author, note.written_at, note.body
FROM device_note AS note
INNER JOIN device ON note.device_id = device.id
INNER JOIN named_principal AS author ON note.author_id = author.id
WHERE device.name = $1 AND ($2::bigint IS NULL OR note.id < $2)
ORDER BY note.id DESC
LIMIT $3
"""


async def list_notes(
    connection: Connection, device: str, *, before: int | None = None, limit: int = 100
) -> Sequence[DeviceNote]:
    """Return a page of the notes on a device, the last first; `before`: the last id of the page before.

    Raises:
        NotFound: there is no such device.
    """
    about = await get_device(connection, device)
    return [DeviceNote(**row) for row in await connection.fetch(_LIST, about.name, before, limit)]
