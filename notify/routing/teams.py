"""Teams: people who are told together. Added, changed, removed; each change is one transaction, audited.

Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from devices.instants import to_datetime
from devices.registry.errors import AlreadyExists, Conflict, NotFound
from notify.routing import ownership
from store import audit
from store.audit import Actor
from store.connection import Connection
from work.listing import open_orders_of_team

FIELDS = ("title", "members")


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """People who are told together. title: by language. municipality: None: of all. members: their names."""

    name: str
    title: Mapping[str, str]
    municipality: str | None
    members: Sequence[str]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTeam:
    """A team to add; see Team."""

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    municipality: str | None = None
    members: Sequence[str] = ()


_SELECT = """
SELECT t.id, t.name, t.title, m.name AS municipality, t.municipality_id, t.version,
    ARRAY(
        SELECT p.name FROM team_member AS member
        INNER JOIN person AS p ON member.person_id = p.id
        WHERE member.team_id = t.id
        ORDER BY p.name
    ) AS members
FROM team AS t
LEFT JOIN municipality AS m ON t.municipality_id = m.id
"""
_LIST = (
    _SELECT
    + """
WHERE ($1::text [] IS NULL OR t.municipality_id IS NULL OR m.name = ANY($1))
    AND ($2::text IS NULL OR t.name > $2)
ORDER BY t.name
LIMIT $3
"""
)
_ONE = _SELECT + "WHERE t.name = $1"


async def list_teams(
    connection: Connection,
    *,
    within: Sequence[str] | None = None,
    after: str | None = None,
    limit: int = 1000,
) -> list[Team]:
    """Return a page of teams by name; `within`: those of these municipalities, and those of all."""
    return [_team(row) for row in await connection.fetch(_LIST, within, after, limit)]


async def get_team(connection: Connection, name: str) -> Team:
    """Return one team.

    Raises:
        NotFound: there is none of that name.
    """
    return _team(await _row(connection, name))


async def _row(connection: Connection, name: str, *, lock: bool = False) -> asyncpg.Record:
    if lock:
        await connection.execute("SELECT id FROM team WHERE name = $1 FOR UPDATE", name)
    row = await connection.fetchrow(_ONE, name)
    if row is None:
        raise NotFound("team", name, "`nabd team list` shows them")
    return row


_INSERT = """
INSERT INTO team (name, title, municipality_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (name) DO NOTHING
RETURNING id
"""


async def add_team(connection: Connection, new: NewTeam, now: int, *, by: Actor) -> Team:
    """Add a team.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        AlreadyExists: the name is taken.
        Invalid: a field is not acceptable.
        NotFound: there is no such municipality or person.
    """
    ownership.check_new_name(new.name)
    ownership.check_fields({"title": new.title}, FIELDS, "a team")
    async with connection.transaction():
        town = await ownership.town_id(connection, new.municipality)
        number = await connection.fetchval(_INSERT, new.name, dict(new.title), town, to_datetime(now))
        if number is None:
            raise AlreadyExists("team", new.name, f"`nabd team edit {new.name}` changes it")
        await _set_members(connection, number, new.members, town)
        row = await _row(connection, new.name)
        await _record(connection, row, "add", None, await _state(connection, row), by, now)
    return _team(row)


_TAKE_MEMBERS = "DELETE FROM team_member WHERE team_id = $1"
_ADD_MEMBERS = "INSERT INTO team_member (team_id, person_id) SELECT $1, unnest($2::int [])"


async def _set_members(connection: Connection, team: int, members: Iterable[str], town: int | None) -> None:
    ids = await ownership.people_ids(connection, members, town, "members")
    await connection.execute(_TAKE_MEMBERS, team)
    await connection.execute(_ADD_MEMBERS, team, list(ids.values()))


_UPDATE = "UPDATE team SET title = $2, version = version + 1, updated_at = $3 WHERE id = $1"


async def edit_team(
    connection: Connection,
    name: str,
    changes: Mapping[str, Any],
    now: int,
    *,
    by: Actor,
    version: int | None = None,
) -> Team:
    """Change the given fields of a team (those of FIELDS) and keep the others.

    Args:
        version: the one that was read; None changes whatever there is.

    Raises:
        NotFound: there is no such team or person.
        Invalid: a field is not acceptable.
        Conflict: it was changed since that version.
    """
    ownership.check_fields(changes, FIELDS, "a team")
    async with connection.transaction():
        row = await _row(connection, name, lock=True)
        if version not in (None, row["version"]):
            raise Conflict(f"{name} was changed since: it is version {row['version']} now")
        before = await _state(connection, row)
        title = dict(changes.get("title", row["title"]))
        await connection.execute(_UPDATE, row["id"], title, to_datetime(now))
        if "members" in changes:
            await _set_members(connection, row["id"], changes["members"], row["municipality_id"])
        row = await _row(connection, name)
        await _record(connection, row, "edit", before, await _state(connection, row), by, now)
    return _team(row)


async def remove_team(connection: Connection, name: str, now: int, *, by: Actor) -> None:
    """Remove a team.

    Raises:
        NotFound: there is none of that name.
        Conflict: the routes name it, or work orders that are open are its.
    """
    async with connection.transaction():
        row = await _row(connection, name, lock=True)
        await ownership.refuse_if_named(connection, f"team:{name}")
        if orders := await open_orders_of_team(connection, row["id"]):
            numbers = ", ".join(map(str, orders[:5]))
            raise Conflict(
                f"work orders of team {name} are open, give them to somebody else first: {numbers}"
            )
        before = await _state(connection, row)
        await connection.execute("DELETE FROM team WHERE id = $1", row["id"])
        await _record(connection, row, "remove", before, None, by, now)


_MEMBERS = "SELECT person_id FROM team_member WHERE team_id = $1 ORDER BY person_id"


async def _state(connection: Connection, row: asyncpg.Record) -> dict[str, Any]:
    """Return what a change is compared by: people stand in the audit by number."""
    members = [member["person_id"] for member in await connection.fetch(_MEMBERS, row["id"])]
    return {"title": row["title"], "members": members}


async def _record(
    connection: Connection,
    row: asyncpg.Record,
    verb: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    by: Actor,
    now: int,
) -> None:
    if before is not None and after is not None:
        before, after = audit.differing(before, after)
        if not after:
            return
    await audit.record(
        connection,
        by=by,
        municipality=row["municipality_id"],
        action=f"team.{verb}",
        subject=row["name"],
        before=before,
        after=after,
        now=now,
    )


def _team(row: asyncpg.Record) -> Team:
    return Team(
        name=row["name"],
        title=row["title"],
        municipality=row["municipality"],
        members=row["members"],
        version=row["version"],
    )
