"""Links that sign a person in once: for ten minutes unless said. Kept as a hash; they need no password."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from devices.instants import to_datetime
from people import recorded
from people.credentials import digest, new_secret
from store.audit import Actor

if TYPE_CHECKING:
    from store.connection import Connection

GOOD_FOR = timedelta(minutes=10)

_CREATE = """
WITH over AS (
    DELETE FROM sign_in_link WHERE expires_at <= $3
)
INSERT INTO sign_in_link (hash, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
"""


async def create_link(
    connection: Connection, person: int, now: int, *, by: Actor, good_for: timedelta = GOOD_FOR
) -> str:
    """Return the secret of a new link that signs a person in once."""
    secret = new_secret()
    at = to_datetime(now)
    async with connection.transaction():
        await connection.execute(_CREATE, digest(secret), person, at, at + good_for)
        after = {"link_until": at + good_for}
        await recorded.record(connection, by, "link", person, None, after, now)
    return secret


_USE = """
DELETE FROM sign_in_link AS l
USING person AS p
WHERE l.hash = $1 AND p.id = l.person_id AND l.expires_at > $2 AND p.disabled_at IS NULL
RETURNING p.id
"""


async def use_link(connection: Connection, secret: str, now: int) -> int | None:
    """Return whom a link signs in and end the link; None when it is unknown, used or too old."""
    person: int | None = await connection.fetchval(_USE, digest(secret), to_datetime(now))
    return person
