"""On-call schedules: layers of people in turns. Added, changed and removed; each change is one transaction.

Who is on call is decided in rotation; who stands in is in overrides. Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from devices.instants import to_datetime
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound
from devices.registry.validation import check_time_zone
from notify.routing import layers, ownership
from store import audit
from store.audit import Actor
from store.connection import Connection

FIELDS = ("title", "time_zone", "layers")


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallSchedule:
    """Who is told by turns.

    title: by language. municipality: None: of all. time_zone: its own; None: that of the municipality.
    layers: as people write them, see notify.routing.layers.
    """

    id: int
    name: str
    title: Mapping[str, str]
    municipality: str | None
    time_zone: str | None
    layers: Sequence[Mapping[str, Any]]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSchedule:
    """A schedule to add; see OnCallSchedule."""

    name: str
    layers: Sequence[Mapping[str, Any]]
    title: Mapping[str, str] = field(default_factory=dict)
    municipality: str | None = None
    time_zone: str | None = None


_SELECT = """
SELECT s.id, s.name, s.title, m.name AS municipality, s.municipality_id, s.time_zone, s.layers, s.version
FROM on_call_schedule AS s
LEFT JOIN municipality AS m ON s.municipality_id = m.id
"""
_LIST = (
    _SELECT
    + """
WHERE ($1::text [] IS NULL OR s.municipality_id IS NULL OR m.name = ANY($1))
    AND ($2::text IS NULL OR s.name > $2)
ORDER BY s.name
LIMIT $3
"""
)
_ONE = _SELECT + "WHERE s.name = $1"
_NAMES = "SELECT id, name FROM person"


async def list_schedules(
    connection: Connection,
    *,
    within: Sequence[str] | None = None,
    after: str | None = None,
    limit: int = 1000,
) -> list[OnCallSchedule]:
    """Return a page of schedules by name; `within`: those of these municipalities, and those of all."""
    names = await _names(connection)
    return [_schedule(row, names) for row in await connection.fetch(_LIST, within, after, limit)]


async def get_schedule(connection: Connection, name: str) -> OnCallSchedule:
    """Return one schedule.

    Raises:
        NotFound: there is none of that name.
    """
    return _schedule(await _row(connection, name), await _names(connection))


async def _names(connection: Connection) -> dict[int, str]:
    return {row["id"]: row["name"] for row in await connection.fetch(_NAMES)}


async def _row(connection: Connection, name: str, *, lock: bool = False) -> asyncpg.Record:
    if lock:
        await connection.execute("SELECT id FROM on_call_schedule WHERE name = $1 FOR UPDATE", name)
    row = await connection.fetchrow(_ONE, name)
    if row is None:
        raise NotFound("on-call schedule", name, "`nabd on-call list` shows them")
    return row


_INSERT = """
INSERT INTO on_call_schedule (name, title, municipality_id, time_zone, layers, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (name) DO NOTHING
RETURNING id
"""


async def add_schedule(connection: Connection, new: NewSchedule, now: int, *, by: Actor) -> OnCallSchedule:
    """Add a schedule.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        AlreadyExists: the name is taken.
        Invalid: a field is not acceptable, or nothing says which clock counts.
        NotFound: there is no such municipality or person.
    """
    ownership.check_new_name(new.name)
    _check({"title": new.title, "time_zone": new.time_zone, "layers": new.layers}, new.municipality)
    async with connection.transaction():
        town = await ownership.town_id(connection, new.municipality)
        stored = await _stored(connection, new.layers, town)
        number = await connection.fetchval(
            _INSERT, new.name, dict(new.title), town, new.time_zone, stored, to_datetime(now)
        )
        if number is None:
            raise AlreadyExists("on-call schedule", new.name, f"`nabd on-call edit {new.name}` changes it")
        row = await _row(connection, new.name)
        await _record(connection, row, "add", None, _state(row), by, now)
    return await get_schedule(connection, new.name)


def _check(values: Mapping[str, Any], municipality: str | None) -> None:
    ownership.check_fields(values, FIELDS, "an on-call schedule")
    if "layers" in values:
        layers.check_layers(list(values["layers"]))
    if values.get("time_zone") is not None:
        check_time_zone(values["time_zone"])
    elif municipality is None and "time_zone" in values:
        raise Invalid("time_zone", "is needed where there is no municipality: write one such as Asia/Beirut")


async def _stored(
    connection: Connection, written: Sequence[Mapping[str, Any]], town: int | None
) -> list[dict[str, Any]]:
    people = [name for layer in written for name in layer["people"]]
    return layers.stored(written, await ownership.people_ids(connection, people, town, "layers"))


_UPDATE = """
UPDATE on_call_schedule SET
    title = $2, time_zone = $3, layers = $4, version = version + 1, updated_at = $5
WHERE id = $1
"""


async def edit_schedule(
    connection: Connection,
    name: str,
    changes: Mapping[str, Any],
    now: int,
    *,
    by: Actor,
    version: int | None = None,
) -> OnCallSchedule:
    """Change the given fields of a schedule (those of FIELDS) and keep the others.

    Args:
        version: the one that was read; None changes whatever there is.

    Raises:
        NotFound: there is no such schedule or person.
        Invalid: a field is not acceptable.
        Conflict: it was changed since that version.
    """
    async with connection.transaction():
        row = await _row(connection, name, lock=True)
        if version not in (None, row["version"]):
            raise Conflict(f"{name} was changed since: it is version {row['version']} now")
        _check(changes, row["municipality"])
        values = {f: changes.get(f, row[f]) for f in FIELDS}
        if "layers" in changes:
            values["layers"] = await _stored(connection, changes["layers"], row["municipality_id"])
        await connection.execute(
            _UPDATE, row["id"], dict(values["title"]), values["time_zone"], values["layers"], to_datetime(now)
        )
        edited = await _row(connection, name)
        await _record(connection, row, "edit", _state(row), _state(edited), by, now)
    return await get_schedule(connection, name)


async def remove_schedule(connection: Connection, name: str, now: int, *, by: Actor) -> None:
    """Remove a schedule with its overrides.

    Raises:
        NotFound: there is none of that name.
        Conflict: the routes name it.
    """
    async with connection.transaction():
        row = await _row(connection, name, lock=True)
        await ownership.refuse_if_named(connection, f"on-call:{name}")
        await connection.execute("DELETE FROM on_call_schedule WHERE id = $1", row["id"])
        await _record(connection, row, "remove", _state(row), None, by, now)


def _state(row: asyncpg.Record) -> dict[str, Any]:
    """Return what a change is compared by: people stand in it by number."""
    return {name: row[name] for name in FIELDS}


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
        action=f"on-call.{verb}",
        subject=row["name"],
        before=before,
        after=after,
        now=now,
    )


def _schedule(row: asyncpg.Record, names: Mapping[int, str]) -> OnCallSchedule:
    shown = {f: row[f] for f in ("id", "name", "title", "municipality", "time_zone", "version")}
    return OnCallSchedule(**shown, layers=layers.written(row["layers"], names))
