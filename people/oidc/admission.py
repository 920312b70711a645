"""The person that comes back from a provider: found by issuer and subject, never by name or e-mail, or made.

Fields and roles follow what the provider says at every sign-in. Must not know how the provider is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from devices.registry.errors import AlreadyExists
from people import sessions, tokens
from people.editing import NewPerson, add_person, edit_person
from people.identity import Grant
from people.oidc.claims import OidcClaims, OidcRefused, Roles, grants_of, names_of
from people.person import Person, get_person
from store.audit import Actor

if TYPE_CHECKING:
    from store.connection import Connection

log = structlog.get_logger(__name__)

_FIND = """
SELECT p.name
FROM oidc_person AS o
INNER JOIN person AS p ON o.person_id = p.id
WHERE o.issuer = $1 AND o.subject = $2
"""
_LOCK = "LOCK TABLE oidc_person IN SHARE ROW EXCLUSIVE MODE"


async def admit(connection: Connection, claims: OidcClaims, roles: Roles, now: int, *, by: Actor) -> int:
    """Return the person that the claims are of: made where there is none, changed where the claims differ.

    Whoever has no role any more loses the ones they had, their sessions, and the tokens that they made.

    Args:
        now: microseconds since 1970-01-01Z.
        by: for whom changes are recorded.

    Raises:
        OidcRefused: no group of theirs gives a role, or they are disabled here.
    """
    async with connection.transaction():
        grants = await _in_towns_there_are(connection, grants_of(claims.groups, roles))
        found = await connection.fetchval(_FIND, claims.issuer, claims.subject)
        if found is None and grants:
            await connection.execute(_LOCK)  # two browsers of one person may come at once
            found = await connection.fetchval(_FIND, claims.issuer, claims.subject)
        if found is not None:
            person = await _updated(connection, found, claims, grants, now, by)
        elif grants:
            person = await _added(connection, claims, grants, now, by)
    if not grants:
        raise OidcRefused("group", f"no group of {claims.subject} gives a role: {sorted(claims.groups)}")
    if person.disabled_at is not None:
        raise OidcRefused("disabled", f"{person.name} is disabled here")
    return person.id


_TOWNS = "SELECT name FROM municipality WHERE name = ANY($1)"


async def _in_towns_there_are(connection: Connection, grants: frozenset[Grant]) -> frozenset[Grant]:
    asked = {grant.municipality for grant in grants if grant.municipality is not None}
    there = {row["name"] for row in await connection.fetch(_TOWNS, sorted(asked))}
    if asked - there:
        log.warning("NABD_OIDC_ROLES names municipalities that do not exist", missing=sorted(asked - there))
    return frozenset(g for g in grants if g.municipality is None or g.municipality in there)


async def _updated(
    connection: Connection, name: str, claims: OidcClaims, grants: frozenset[Grant], now: int, by: Actor
) -> Person:
    person = await get_person(connection, name)
    said = {"display_name": claims.display_name, "language": claims.language, "email": claims.email}
    changes = {field: value for field, value in said.items() if value and value != getattr(person, field)}
    if changes or grants != person.grants:
        person = await edit_person(connection, name, changes, now, by=by, grants=grants, last_admin_too=True)
    if not grants:
        await sessions.end_sessions(connection, person.id, by=by, now=now)
        await tokens.revoke_tokens_of(connection, person.id, now, by=by)
    return person


_BIND = "INSERT INTO oidc_person (person_id, issuer, subject) VALUES ($1, $2, $3)"


async def _added(
    connection: Connection, claims: OidcClaims, grants: frozenset[Grant], now: int, by: Actor
) -> Person:
    for name in names_of(claims.username):
        new = NewPerson(
            name=name,
            display_name=claims.display_name,
            language=claims.language or "en",
            email=claims.email,
            grants=sorted(grants, key=str),
        )
        try:
            person = await add_person(connection, new, now, by=by)
        except AlreadyExists:
            continue
        await connection.execute(_BIND, person.id, claims.issuer, claims.subject)
        return person
    raise OidcRefused("away", f"every name like {claims.username} is taken")
