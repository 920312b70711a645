"""Changes of municipalities: added and edited, never deleted, since every row belongs to one.

Each change is one transaction that ends by advancing the generation. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import asyncpg

from devices.instants import Now, to_datetime
from devices.registry import generation
from devices.registry.errors import AlreadyExists, Invalid, NotFound
from devices.registry.registry import Municipality, municipality_of
from devices.registry.validation import (
    check_locale,
    check_municipality_name,
    check_position,
    check_time_zone,
    check_titles,
    check_weekend,
)
from devices.suggestion import meant
from devices.weekends import weekend_of
from store import audit
from store.audit import Actor
from store.connection import Connection

FIELDS = ("title", "time_zone", "locale", "weekend", "lat", "lon", "register_unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMunicipality:
    """The fields of a municipality to add; see Municipality. Without a weekend it has its locale's."""

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    locale: str = "en"
    weekend: tuple[int, ...] | None = None
    lat: float | None = None
    lon: float | None = None
    register_unknown: bool = False


_INSERT = """
INSERT INTO municipality
    (name, title, time_zone, locale, weekend, lat, lon, register_unknown, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (name) DO NOTHING
RETURNING id, name, title, time_zone, locale, weekend, lat, lon, register_unknown, shard
"""


async def add_municipality(
    connection: Connection, new: NewMunicipality, now: Now, *, by: Actor
) -> Municipality:
    """Add a municipality.

    Raises:
        AlreadyExists: the name is taken.
        Invalid: a field is not acceptable.
    """
    check_municipality_name(new.name)
    check_locale(new.locale)
    if new.weekend is None:
        new = replace(new, weekend=weekend_of(new.locale))
    _check(new)
    async with connection.transaction():
        row = await connection.fetchrow(_INSERT, new.name, *_values(new), to_datetime(now()))
        if row is None:
            raise AlreadyExists("municipality", new.name, f"`nabd municipality edit {new.name}` changes it")
        await _record(connection, row, "add", None, _fields(row), by, now)
        await generation.advance(connection)
    return municipality_of(row)


async def _record(
    connection: Connection,
    row: asyncpg.Record,
    verb: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any],
    by: Actor,
    now: Now,
) -> None:
    await audit.record(
        connection,
        by=by,
        municipality=row["id"],
        action=f"municipality.{verb}",
        subject=row["name"],
        before=before,
        after=after,
        now=now(),
    )


def _fields(row: asyncpg.Record) -> dict[str, Any]:
    return {name: row[name] for name in FIELDS}


def _check(new: NewMunicipality) -> None:
    check_titles(new.title)
    check_time_zone(new.time_zone)
    check_locale(new.locale)
    check_weekend(new.weekend or ())
    check_position(new.lat, new.lon)


def _values(new: NewMunicipality) -> tuple[Any, ...]:
    return tuple(getattr(new, name) for name in FIELDS)


_LOCKED = """
SELECT id, name, title, time_zone, locale, weekend, lat, lon, register_unknown, shard
FROM municipality
WHERE name = $1
FOR UPDATE
"""

_UPDATE = """
UPDATE municipality SET
    title = $2, time_zone = $3, locale = $4, weekend = $5, lat = $6, lon = $7, register_unknown = $8
WHERE id = $1
RETURNING id, name, title, time_zone, locale, weekend, lat, lon, register_unknown, shard
"""


async def edit_municipality(
    connection: Connection, name: str, changes: Mapping[str, Any], now: Now, *, by: Actor
) -> Municipality:
    """Change the given fields of a municipality (those of FIELDS) and keep the others.

    Raises:
        NotFound: there is none of that name.
        Invalid: a field is unknown or not acceptable.
    """
    for unknown in changes.keys() - set(FIELDS):
        raise Invalid(unknown, f"not a field of a municipality; {meant(unknown, FIELDS)}")
    async with connection.transaction():
        row: asyncpg.Record | None = await connection.fetchrow(_LOCKED, name)
        if row is None:
            raise NotFound("municipality", name, "`nabd municipality list` shows them")
        kept = _fields(row)
        edited = NewMunicipality(**{"name": name, **kept, **changes})
        _check(edited)
        row = await connection.fetchrow(_UPDATE, row["id"], *_values(edited))
        assert row is not None
        before, after = audit.differing(kept, _fields(row))
        await _record(connection, row, "edit", before, after, by, now)
        await generation.advance(connection)
    return municipality_of(row)
