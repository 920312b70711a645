"""People as they are read: one, or a list. Changes are in `editing`; secrets never leave this layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg

from devices.registry.errors import Conflict, NotFound
from people.identity import Grant, of_texts

if TYPE_CHECKING:
    from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person. has_password: else they sign in by links alone. has_totp: an app's code is asked for.

    oidc_issuer: where they sign in instead of here; None: here.
    channels: how to reach them, address by channel. calendar: the working calendar they keep.
    steps, quiet_hours: by which channel they are told when, see contact_settings.
    skills: kinds of devices that they can repair. districts: codes of those where they work.
    """

    id: int
    name: str
    display_name: str
    language: str
    phone: str | None
    email: str | None
    channels: Mapping[str, Any]
    calendar: str | None
    steps: list[dict[str, Any]]
    quiet_hours: list[dict[str, Any]]
    skills: list[str]
    districts: list[str]
    grants: frozenset[Grant]
    has_password: bool
    has_totp: bool
    recovery_codes: int
    disabled_at: datetime | None
    last_seen_at: datetime | None
    oidc_issuer: str | None
    version: int


_SELECT = """
SELECT
    p.id, p.name, p.display_name, p.language, p.phone, p.email, p.channels, p.calendar, p.steps,
    p.quiet_hours, p.skills, p.districts,
    p.password_hash IS NOT NULL AS has_password, p.totp_secret IS NOT NULL AS has_totp,
    cardinality(p.recovery_codes) AS recovery_codes, p.disabled_at, p.version,
    (SELECT max(s.last_used_at) FROM session AS s WHERE s.person_id = p.id) AS last_seen_at,
    (SELECT o.issuer FROM oidc_person AS o WHERE o.person_id = p.id) AS oidc_issuer,
    ARRAY(
        SELECT concat_ws('@', g.role, m.name)
        FROM membership AS g
        LEFT JOIN municipality AS m ON g.municipality_id = m.id
        WHERE g.person_id = p.id
    ) AS grants
FROM person AS p
"""

_LIST = (
    _SELECT
    + """
WHERE ($1::text [] IS NULL OR EXISTS (
        SELECT FROM membership AS g
        INNER JOIN municipality AS m ON g.municipality_id = m.id
        WHERE g.person_id = p.id AND m.name = ANY($1)
    ))
    AND ($2::text IS NULL OR p.name > $2)
ORDER BY p.name
LIMIT $3
"""
)


async def list_people(
    connection: Connection,
    *,
    within: Sequence[str] | None = None,
    after: str | None = None,
    limit: int = 1000,
) -> list[Person]:
    """Return a page of people by name; `within`: those with a role in one of these municipalities."""
    return [_person(row) for row in await connection.fetch(_LIST, within, after, limit)]


_BY_NAME = _SELECT + "WHERE p.name = $1"
_BY_ID = _SELECT + "WHERE p.id = $1"


async def get_person(connection: Connection, name: str) -> Person:
    """Return one person.

    Raises:
        NotFound: there is none of that name.
    """
    row = await connection.fetchrow(_BY_NAME, name)
    if row is None:
        raise NotFound("person", name, "`nabd user list` shows them")
    return _person(row)


_LOCK = "SELECT id FROM person WHERE name = $1 FOR UPDATE"


async def locked_person(connection: Connection, name: str) -> Person:
    """Return one person, whom nobody else changes until the transaction ends.

    Raises:
        NotFound: there is none of that name.
    """
    await connection.execute(_LOCK, name)
    return await get_person(connection, name)


async def person_of(connection: Connection, principal: int) -> Person:
    """Return the person that a principal is.

    Raises:
        NotFound: it is none, or they were deleted.
    """
    row = await connection.fetchrow(_BY_ID, principal)
    if row is None:
        raise NotFound("person", str(principal))
    return _person(row)


_FIRST_ADMIN = """
SELECT p.name
FROM person AS p
INNER JOIN membership AS g ON g.person_id = p.id
WHERE g.role = 'admin' AND g.municipality_id IS NULL AND p.disabled_at IS NULL
ORDER BY p.id
LIMIT 1
"""


async def first_admin(connection: Connection) -> str | None:
    """Return the name of the longest known administrator of all municipalities, None where there is none."""
    name: str | None = await connection.fetchval(_FIRST_ADMIN)
    return name


def _person(row: asyncpg.Record) -> Person:
    return Person(**{**dict(row), "grants": of_texts(row["grants"])})


def was_disabled(person: Person) -> Conflict:
    """Return the refusal of giving something to a person who is let in no more."""
    return Conflict(
        f"{person.name} was disabled: `nabd user enable {person.name}` lets them in again",
        key="conflict.person_disabled", name=person.display_name or person.name,
    )  # fmt: skip
