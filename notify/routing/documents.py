"""Routes as people change them: the document in force, what may be named in it, apply, history.

A document with a mistake is refused and the one in force stays. The audit records versions and the SHA-256 of
the texts, never the texts: people are named in them. Must not know HTTP or the command line.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime

from devices.instants import to_datetime
from devices.kinds import STRUCTURAL, Kinds
from devices.registry.errors import Conflict, NotFound
from notify.routing.load import DEFAULT
from notify.routing.names import RouteNames
from notify.routing.route_reader import read_routes
from store import audit
from store.audit import Actor
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDocument:
    """Routes as they were written. version 0: the default, which nobody has applied: author is empty then."""

    version: int
    document: str
    author: str = ""
    applied_at: datetime | None = None


_DOCUMENTS = """
SELECT d.version, d.document, author.name AS author, d.applied_at
FROM route_document AS d
INNER JOIN named_principal AS author ON d.author_id = author.id
"""
_NEWEST = _DOCUMENTS + "ORDER BY d.version DESC LIMIT 1"
_ONE = _DOCUMENTS + "WHERE d.version = $1"
_HISTORY = _DOCUMENTS + "ORDER BY d.version"


async def routes_in_force(connection: Connection) -> RouteDocument:
    """Return the routes that count now."""
    row = await connection.fetchrow(_NEWEST)
    return RouteDocument(**row) if row is not None else _default()


def _default() -> RouteDocument:
    return RouteDocument(version=0, document=DEFAULT.read_text(encoding="utf-8"))


async def routes_of_version(connection: Connection, version: int) -> RouteDocument:
    """Return the routes of a version, 0 is the default.

    Raises:
        NotFound: there is no such version.
    """
    if version == 0:
        return _default()
    row = await connection.fetchrow(_ONE, version)
    if row is None:
        raise NotFound("version of the routes", str(version), "`nabd route history` shows them")
    return RouteDocument(**row)


async def history(connection: Connection) -> list[RouteDocument]:
    """Return every version that was applied, oldest first."""
    return [RouteDocument(**row) for row in await connection.fetch(_HISTORY)]


_NAMES = """
SELECT
    ARRAY(SELECT name FROM municipality) AS municipalities,
    ARRAY(SELECT DISTINCT id FROM rule) AS rules,
    ARRAY(
        SELECT DISTINCT definition ->> 'route' FROM rule WHERE definition ->> 'route' <> ''
    ) AS rule_routes,
    ARRAY(SELECT DISTINCT name FROM ground_feature WHERE layer = 'districts') AS districts,
    ARRAY(SELECT name FROM person) AS people,
    ARRAY(SELECT name FROM team) AS teams,
    ARRAY(SELECT name FROM on_call_schedule) AS schedules
"""


async def known_names(connection: Connection, kinds: Kinds) -> RouteNames:
    """Return what routes may name now: people who are disabled too, though they are told nothing."""
    row = await connection.fetchrow(_NAMES)
    assert row is not None
    return RouteNames(
        kinds=frozenset([*kinds, *STRUCTURAL]), **{name: frozenset(found) for name, found in row.items()}
    )


_LOCK = "LOCK TABLE route_document IN SHARE ROW EXCLUSIVE MODE"
_ADD = "INSERT INTO route_document (version, document, author_id, applied_at) VALUES ($1, $2, $3, $4)"


async def apply_routes(
    connection: Connection,
    kinds: Kinds,
    document: str,
    *,
    by: Actor,
    now: int,
    version: int | None = None,
    file: str = "",
) -> RouteDocument:
    """Put a document into force, as a new version; the same text changes nothing.

    Args:
        now: microseconds since 1970-01-01Z.
        version: the one that its author has read; None: whatever is in force is replaced.
        file: what mistakes are reported for.

    Raises:
        RoutesRefused: with every mistake.
        Conflict: another version is in force.
    """
    async with connection.transaction():
        await connection.execute(_LOCK)
        names = await known_names(connection, kinds)
        # Reading YAML takes long enough to hold up everybody else.
        await asyncio.to_thread(read_routes, document, names, file=file)
        present = await routes_in_force(connection)
        refuse_another(present, version)
        if document == present.document:
            return present
        await connection.execute(_ADD, present.version + 1, document, by.principal, to_datetime(now))
        applied = await routes_in_force(connection)
        await audit.record(
            connection,
            by=by,
            municipality=None,
            action="route.apply",
            subject="routes",
            before=_state(present),
            after=_state(applied),
            now=now,
        )
    return applied


def refuse_another(present: RouteDocument, version: int | None) -> None:
    """Refuse a change by who has read another version than the one in force; None: whatever it is.

    Raises:
        Conflict: it is another one.
    """
    if version not in (None, present.version):
        raise Conflict(f"the routes are at version {present.version}, not {version}: read them again")


def _state(found: RouteDocument) -> dict[str, object]:
    return {"version": found.version, "sha256": hashlib.sha256(found.document.encode()).hexdigest()}
