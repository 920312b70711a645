"""Tokens of programs: random, shown once, kept as a hash, with a role or a scope, until they expire.

Must not know how a token is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg

from devices.instants import to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from people.credentials import digest, new_secret
from people.identity import Grant, Identity
from people.roles import Permission, Role, TokenScope
from store import audit
from store.audit import Actor, AuditedChange

if TYPE_CHECKING:
    from store.connection import Connection

NAME_LENGTH = 100
LONGEST = timedelta(days=3660)
USED_EVERY = timedelta(minutes=1)
"""How often the last use is written, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token to make: a role in a municipality (None: in all), or scopes, or both.

    expires_at: None: never.
    """

    name: str
    role: Role | None = None
    municipality: str | None = None
    scopes: Sequence[TokenScope] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What is known of a token; the token itself is not."""

    id: int
    name: str
    role: str | None
    municipality: str | None
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


_CREATE = """
WITH made AS (
    INSERT INTO principal (kind, created_at) VALUES ('token', $3) RETURNING id
)
INSERT INTO token
    (name, hash, created_at, expires_at, role, municipality_id, scopes, principal_id, created_by)
SELECT $1, $2, $3, $4, $5, m.id, $7, made.id, $8
FROM made
LEFT JOIN municipality AS m ON m.name = $6
RETURNING id, municipality_id
"""


async def create_token(connection: Connection, new: NewToken, now: int, *, by: Actor) -> str:
    """Store a new token and return it; it cannot be shown again.

    Args:
        now: microseconds since 1970-01-01Z.
        by: who asks for it.

    Raises:
        Invalid: a field is not acceptable.
        NotFound: there is no such municipality.
        Conflict: who asks may do nothing any more.
    """
    _check(new, to_datetime(now))
    secret = new_secret()
    async with connection.transaction():
        await _check_maker(connection, new, by)
        row = await connection.fetchrow(
            _CREATE, new.name, digest(secret), to_datetime(now), new.expires_at, new.role, new.municipality,
            list(new.scopes), by.principal,
        )  # fmt: skip
        assert row is not None
        if new.municipality is not None and row["municipality_id"] is None:
            raise NotFound("municipality", new.municipality, "`nabd municipality list` shows them")
        await audit.record(
            connection, by=by, municipality=row["municipality_id"], action="token.create",
            subject=str(row["id"]), after={**asdict(new), "scopes": list(new.scopes)}, now=now,
        )  # fmt: skip
    return secret


# Locked: what ends the maker ends what they make, also in this moment.
_MAKING_PROGRAM = "SELECT revoked_at, expires_at FROM token WHERE principal_id = $1 FOR SHARE"
_MAKING_PERSON = "SELECT disabled_at FROM person WHERE id = $1 FOR SHARE"


async def _check_maker(connection: Connection, new: NewToken, by: Actor) -> None:
    """Refuse a token that would live longer than the token that makes it."""
    person = await connection.fetchrow(_MAKING_PERSON, by.principal)
    token = await connection.fetchrow(_MAKING_PROGRAM, by.principal)
    if (person and person["disabled_at"]) or (token and token["revoked_at"]):
        raise Conflict("who asks may do nothing any more")
    if token is None or token["expires_at"] is None:
        return
    if new.expires_at is None or new.expires_at > token["expires_at"]:
        raise Invalid("expires_at", f"is not after {token['expires_at']}, when the token that asks ends")


def _check(new: NewToken, now: datetime) -> None:
    if not 1 <= len(new.name.strip()) <= NAME_LENGTH or not new.name.isprintable():
        raise Invalid("name", f"say in 1 to {NAME_LENGTH} characters what it is for")
    if new.role is None and not new.scopes:
        raise Invalid("role", "a token without a role needs a scope")
    if new.role is None and new.municipality is not None:
        raise Invalid("municipality", "only a role is held in a municipality")
    if new.expires_at is not None and not now < new.expires_at <= now + LONGEST:
        raise Invalid("expires_at", f"lies between now and {LONGEST.days} days from now")


_SELECT = """
SELECT t.id, t.name, t.principal_id, t.role, m.name AS municipality, t.scopes, t.last_used_at
FROM token AS t
LEFT JOIN municipality AS m ON t.municipality_id = m.id
WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2)
"""
_BY_HASH = _SELECT + "AND t.hash = $1"
_BY_PRINCIPAL = _SELECT + "AND t.principal_id = $1"
_USED = "UPDATE token SET last_used_at = $2 WHERE id = $1"


async def identity_of(connection: Connection, token: str, now: int) -> Identity | None:
    """Return who presents a token, None when it is unknown, revoked or has expired."""
    row = await connection.fetchrow(_BY_HASH, digest(token), to_datetime(now), timeout=5.0)
    if row is None:
        return None
    if row["last_used_at"] is None or row["last_used_at"] < to_datetime(now) - USED_EVERY:
        await connection.execute(_USED, row["id"], to_datetime(now))
    return _identity(row)


async def identity_again(connection: Connection, principal: int, now: int) -> Identity | None:
    """Return what a token known by its principal may do now, None when it ended."""
    row = await connection.fetchrow(_BY_PRINCIPAL, principal, to_datetime(now), timeout=5.0)
    return None if row is None else _identity(row)


def _identity(row: asyncpg.Record) -> Identity:
    grants = [Grant(role=Role(row["role"]), municipality=row["municipality"])] if row["role"] else []
    return Identity(
        principal=row["principal_id"],
        kind="token",
        name=row["name"],
        grants=frozenset(grants),
        scopes=frozenset(map(TokenScope, row["scopes"])),
    )


_LIST = """
SELECT
    t.id, t.name, t.role, m.name AS municipality, t.scopes, t.created_at, t.expires_at, t.last_used_at,
    t.revoked_at
FROM token AS t
LEFT JOIN municipality AS m ON t.municipality_id = m.id
WHERE ($1::text [] IS NULL OR m.name = ANY($1)) AND ($2::int IS NULL OR t.id = $2) AND t.id > $3
ORDER BY t.id
LIMIT $4
"""


async def list_tokens(
    connection: Connection,
    *,
    within: Sequence[str] | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[Token]:
    """Return the tokens in the order they were made.

    Args:
        within: only those of these municipalities.
        after: the last number of the page before this one.
        limit: how many at most; None: all.
    """
    return [Token(**row) for row in await connection.fetch(_LIST, within, None, after, limit)]


async def get_token(connection: Connection, token: int, *, within: Sequence[str] | None = None) -> Token:
    """Return one token by its number.

    Raises:
        NotFound: there is none of this number, or not in these municipalities.
    """
    row = await connection.fetchrow(_LIST, within, token, 0, 1)
    if row is None:
        raise NotFound("token", str(token), "`nabd token list` shows them")
    return Token(**row)


_REVOKE = """
WITH RECURSIVE ended AS (
    SELECT id, principal_id FROM token WHERE id = $1
    UNION
    SELECT made.id, made.principal_id
    FROM token AS made
    INNER JOIN ended ON made.created_by = ended.principal_id
)

UPDATE token SET revoked_at = $2
WHERE id IN (SELECT id FROM ended) AND revoked_at IS NULL
RETURNING id, municipality_id
"""


async def revoke_token(connection: Connection, token: int, now: int, *, by: Actor) -> Token:
    """End a token now, and those that were made with it; one that was ended before stays as it was.

    Raises:
        NotFound: there is none of this number.
    """
    await get_token(connection, token)
    async with connection.transaction():
        await _record_ended(connection, await connection.fetch(_REVOKE, token, to_datetime(now)), now, by)
    return await get_token(connection, token)


_REVOKE_OF = """
WITH RECURSIVE made AS (
    SELECT id, principal_id FROM token WHERE created_by = $1
    UNION
    SELECT further.id, further.principal_id
    FROM token AS further
    INNER JOIN made ON further.created_by = made.principal_id
)

UPDATE token SET revoked_at = $2
WHERE id IN (SELECT id FROM made) AND revoked_at IS NULL
    AND NOT EXISTS (
        SELECT FROM municipality AS m WHERE m.id = token.municipality_id AND m.name = ANY($3)
    )
RETURNING id, municipality_id
"""


async def revoke_tokens_of(
    connection: Connection, person: int, now: int, *, by: Actor, grants: frozenset[Grant] = frozenset()
) -> None:
    """End every token that a person made, and those made with these; call it within the person's change.

    Args:
        grants: what the person holds from now on; a token that they could still make stays.
    """
    maker = Identity(principal=person, kind="person", name="", grants=grants)
    towns = maker.towns(Permission.MANAGE_TOKENS)
    if towns is not None:
        rows = await connection.fetch(_REVOKE_OF, person, to_datetime(now), towns)
        await _record_ended(connection, rows, now, by)


async def _record_ended(connection: Connection, rows: Sequence[asyncpg.Record], now: int, by: Actor) -> None:
    ended = [
        AuditedChange(
            municipality=row["municipality_id"],
            action="token.revoke",
            subject=str(row["id"]),
            before={"revoked_at": None},
            after={"revoked_at": to_datetime(now)},
        )
        for row in rows
    ]
    if ended:
        await audit.record_many(connection, ended, by=by, now=now)


_ADMIN = """
SELECT EXISTS (
    SELECT FROM token
    WHERE role = 'admin' AND municipality_id IS NULL AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > $1)
)
"""


async def has_admin_token(connection: Connection, now: int) -> bool:
    """Tell whether a program could manage people."""
    found: bool = await connection.fetchval(_ADMIN, to_datetime(now))
    return found
