"""Sessions of people who signed in with a browser: kept here, named by a random id that changes often.

An id that was replaced stays good for requests under way; used later it was stolen, and its session ends.
Must not know cookies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import structlog

from devices.instants import to_datetime
from devices.storable import storable
from people.browsers import subscriptions
from people.credentials import SESSION_PREFIX, digest, new_secret
from people.identity import Identity, of_texts
from store.audit import PLATFORM, Actor
from store.expiry import ExpiringRows

if TYPE_CHECKING:
    from store.connection import Connection

log = structlog.get_logger(__name__)

ROTATE_EVERY = timedelta(hours=1)
FORMER_FOR = timedelta(seconds=60)
"""How long an id is good after it was replaced."""
USED_EVERY = timedelta(minutes=1)
"""How often the last use is written, at most."""
AGENT_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """When a session ends: unused for `idle`, and whatever happens after `longest`."""

    idle: timedelta = timedelta(hours=12)
    longest: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """Whose session it is; `fresh_id` replaces the id that was presented."""

    identity: Identity
    fresh_id: str | None = None


_OPEN = """
WITH over AS (
    DELETE FROM session WHERE expires_at <= $3 OR hash = $7 OR former_hash = $7
)
INSERT INTO session (hash, person_id, created_at, last_used_at, rotated_at, expires_at, address, user_agent)
VALUES ($1, $2, $3, $3, $3, $4, $5, $6)
"""


async def open_session(
    connection: Connection,
    person: int,
    now: int,
    limits: SessionLimits,
    *,
    address: str,
    user_agent: str,
    before: str | None = None,
) -> str:
    """Open a session and return its id; `before`, the id that the browser had until now, ends."""
    session = new_secret(SESSION_PREFIX)
    at = to_datetime(now)
    await connection.execute(
        _OPEN, digest(session), person, at, at + limits.longest, storable(address, 100),
        storable(user_agent, AGENT_LENGTH), digest(before or ""),
    )  # fmt: skip
    return session


_SELECT = """
SELECT
    s.id AS session, s.hash, s.rotated_at, s.last_used_at, p.id AS principal,
    coalesce(nullif(p.display_name, ''), p.name) AS name,
    ARRAY(
        SELECT concat_ws('@', g.role, m.name)
        FROM membership AS g
        LEFT JOIN municipality AS m ON g.municipality_id = m.id
        WHERE g.person_id = p.id
    ) AS grants
FROM session AS s
INNER JOIN person AS p ON s.person_id = p.id
WHERE p.disabled_at IS NULL AND s.expires_at > $2 AND s.last_used_at > $3
"""
_BY_HASH = _SELECT + "AND (s.hash = $1 OR s.former_hash = $1)"
_BY_ID = _SELECT + "AND s.id = $1"
_USED = "UPDATE session SET last_used_at = $2 WHERE id = $1"
_ROTATE = """
UPDATE session SET hash = $3, former_hash = $2, rotated_at = $4 WHERE id = $1 AND hash = $2 RETURNING id
"""
_END = "DELETE FROM session WHERE id = $1 AND person_id = $2 RETURNING id"


async def recognise(
    connection: Connection, session: str, now: int, limits: SessionLimits, *, rotate: bool
) -> Recognised | None:
    """Return whose session it is, None when it is unknown or has ended.

    Args:
        session: the id as presented.
        now: microseconds since 1970-01-01Z.
        limits: when it ends.
        rotate: whether the answer can carry a new id.
    """
    presented, at = digest(session), to_datetime(now)
    row = await connection.fetchrow(_BY_HASH, presented, at, at - limits.idle, timeout=5.0)
    if row is None:
        return None
    if row["hash"] != presented and row["rotated_at"] < at - FORMER_FOR:
        log.warning("a session id was used after it was replaced: its session ends", person=row["name"])
        await end_session(connection, row["principal"], row["session"], by=PLATFORM, now=now)
        return None
    await _note_use(connection, row, at)
    fresh = None
    if rotate and row["hash"] == presented and row["rotated_at"] <= at - ROTATE_EVERY:
        fresh = new_secret(SESSION_PREFIX)
        if not await connection.fetchval(_ROTATE, row["session"], presented, digest(fresh), at):
            fresh = None  # another request of this moment was first
    return Recognised(identity=_identity(row), fresh_id=fresh)


async def identity_again(
    connection: Connection, session: int, now: int, limits: SessionLimits
) -> Identity | None:
    """Return what the person of an open session may do now, None when it ended; counts as use of it."""
    at = to_datetime(now)
    row = await connection.fetchrow(_BY_ID, session, at, at - limits.idle, timeout=5.0)
    if row is None:
        return None
    await _note_use(connection, row, at)
    return _identity(row)


async def _note_use(connection: Connection, row: asyncpg.Record, at: datetime) -> None:
    if row["last_used_at"] < at - USED_EVERY:
        await connection.execute(_USED, row["session"], at)


def _identity(row: asyncpg.Record) -> Identity:
    return Identity(
        principal=row["principal"],
        kind="person",
        name=row["name"],
        grants=of_texts(row["grants"]),
        session=row["session"],
    )


async def end_session(connection: Connection, person: int, session: int, *, by: Actor, now: int) -> bool:
    """End one session of a person, and messages to its browser; False where there is none."""
    async with connection.transaction():
        await subscriptions.sign_out(connection, person, session=session, by=by, now=now)
        return await connection.fetchval(_END, session, person) is not None


_END_OTHERS = "DELETE FROM session WHERE person_id = $1 AND id IS DISTINCT FROM $2"


async def end_sessions(
    connection: Connection, person: int, *, but: int | None = None, by: Actor, now: int
) -> None:
    """End every session of a person, and messages to their browsers, but for one."""
    async with connection.transaction():
        await subscriptions.sign_out(connection, person, but=but, by=by, now=now)
        await connection.execute(_END_OTHERS, person, but)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSession:
    """A session as its person sees it."""

    id: int
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    address: str
    user_agent: str


_OPEN_OF = """
SELECT id, created_at, last_used_at, expires_at, address, user_agent
FROM session
WHERE person_id = $1 AND expires_at > $2 AND last_used_at > $3
ORDER BY created_at DESC, id DESC
LIMIT 100
"""


async def open_sessions(
    connection: Connection, person: int, now: int, limits: SessionLimits
) -> list[OpenSession]:
    """Return the sessions of a person that have not ended, the newest first; at most 100."""
    at = to_datetime(now)
    rows = await connection.fetch(_OPEN_OF, person, at, at - limits.idle)
    return [OpenSession(**row) for row in rows]


SESSIONS = ExpiringRows(
    tables=("session",),
    first="SELECT min(expires_at) FROM session",
    forget="""
WITH gone AS (
    DELETE FROM session
    WHERE id = ANY(ARRAY(SELECT id FROM session WHERE expires_at < $1 ORDER BY expires_at LIMIT $2))
    RETURNING id
)

SELECT count(*) FROM gone
""",
)
"""Those that are over, of people who do not come back."""
