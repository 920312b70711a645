"""Names that no device may have: banned, and let in again. What they send is rejected as of a stranger.

Must not know HTTP, MQTT, nor what waits in quarantine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.instants import Now, to_datetime
from devices.registry import generation
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.registry.validation import check_device_name
from store import audit
from store.audit import Actor
from store.connection import Connection

REASON_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class BannedDevice:
    """A name that is never let in; `municipality`: which its topics named, where that is registered."""

    name: str
    municipality: str | None
    reason: str
    author: str
    banned_at: datetime


_REGISTERED = """
SELECT device.name FROM device
LEFT JOIN hardware ON device.id = hardware.device_id AND hardware.removed_at IS NULL
WHERE device.name = $1 OR hardware.wire_name = $1
LIMIT 1
"""
_BAN = """
INSERT INTO banned_device (name, municipality_id, reason, author_id, banned_at)
VALUES ($1, (SELECT id FROM municipality WHERE name = $2), $3, $4, $5)
ON CONFLICT (name) DO NOTHING
RETURNING municipality_id
"""


async def ban(
    connection: Connection, name: str, reason: str, now: Now, *, municipality: str | None = None, by: Actor
) -> BannedDevice:
    """Never let a device of this name in, until it is unbanned.

    Args:
        municipality: which its topics name; whoever manages its devices may let it in again.

    Raises:
        Invalid: a name that no device can have, or no reason.
        Conflict: a device of that name is registered.
        AlreadyExists: it is banned already.
    """
    check_device_name(name)
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise Invalid("reason", f"say why, in at most {REASON_LENGTH} characters")
    async with connection.transaction():
        taken = await connection.fetchval(_REGISTERED, name)
        if taken is not None:
            raise Conflict(f"{name} is registered as {taken}: retire that, or give it other hardware")
        at = to_datetime(now())
        row = await connection.fetchrow(_BAN, name, municipality, reason, by.principal, at)
        if row is None:
            raise AlreadyExists("banned device", name, "`nabd device banned` shows why")
        await audit.record(
            connection,
            by=by,
            municipality=row["municipality_id"],
            action="device.ban",
            subject=name,
            after={"reason": reason},
            now=now(),
        )
        await generation.advance(connection)
    return next(one for one in await list_banned(connection) if one.name == name)


_UNBAN = "DELETE FROM banned_device WHERE name = $1 RETURNING municipality_id"


async def unban(connection: Connection, name: str, now: Now, *, by: Actor) -> None:
    """Treat a name as any other again: what it sends waits in quarantine.

    Raises:
        NotFound: it is not banned.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_UNBAN, name)
        if row is None:
            raise NotFound("banned device", name, "`nabd device banned` shows them")
        await audit.record(
            connection,
            by=by,
            municipality=row["municipality_id"],
            action="device.unban",
            subject=name,
            before={"banned": True},
            now=now(),
        )
        await generation.advance(connection)


_LIST = """
SELECT b.name, municipality.name AS municipality, b.reason, author.name AS author, b.banned_at
FROM banned_device AS b
INNER JOIN named_principal AS author ON b.author_id = author.id
LEFT JOIN municipality ON b.municipality_id = municipality.id
WHERE $1::text [] IS NULL OR municipality.name = ANY($1)
ORDER BY b.banned_at DESC, b.name
"""


async def list_banned(
    connection: Connection, *, within: Collection[str] | None = None
) -> Sequence[BannedDevice]:
    """Return what is banned, the last first; within: only of these municipalities; None: all."""
    towns = None if within is None else list(within)
    return [BannedDevice(**row) for row in await connection.fetch(_LIST, towns)]


_BANNED = "SELECT name FROM banned_device WHERE name = ANY($1) ORDER BY name LIMIT 1"


async def refuse_banned(connection: Connection, names: Collection[str]) -> None:
    """Refuse names that are banned.

    Raises:
        Conflict: one of them is.
    """
    banned = await connection.fetchval(_BANNED, list(names))
    if banned is not None:
        raise Conflict(f"{banned} is banned: `nabd device unban {banned}` first, if it may be let in")
