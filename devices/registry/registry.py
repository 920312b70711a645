"""The registry as it is read: municipalities and devices, one by one, by page, or as a snapshot.

Changes are in `registration`, `editing` and `municipalities`. Must not know HTTP or MQTT.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound, RegistryError
from store.connection import Connection

__all__ = [
    "AlreadyExists",
    "Conflict",
    "Device",
    "Invalid",
    "Municipality",
    "NotFound",
    "Registry",
    "RegistryError",
    "get_device",
    "get_municipality",
    "list_devices",
    "list_municipalities",
    "load",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Municipality:
    """One municipality: the owner of devices, with its time zone, language and weekend.

    `title` is by language (en, fr, ar). `weekend` holds ISO days, 1 is Monday.
    """

    id: int
    name: str
    title: Mapping[str, str]
    time_zone: str
    locale: str
    weekend: tuple[int, ...]
    lat: float | None
    lon: float | None
    register_unknown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One registered device, which may be retired; `name` is its name in topics.

    district, street: codes of where it stands (devices/registry/ground), with their names by language; a
    snapshot of the whole registry has neither street nor names.
    """

    id: int
    name: str
    kind: str
    municipality: str
    municipality_id: int
    parent: str | None = None
    parent_id: int | None = None
    title: str = ""
    lat: float | None = None
    lon: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    retired_at: datetime | None = None
    retired_reason: str | None = None
    version: int = 1
    district: str | None = None
    district_title: Mapping[str, str] = field(default_factory=dict)
    district_by_hand: bool = False
    street: str | None = None
    street_title: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything registered, at one moment; retired devices included, with the instant of retirement."""

    devices: Mapping[int, Device]
    by_name: Mapping[str, Device]
    municipalities: Mapping[str, Municipality]


_MUNICIPALITIES = """
SELECT id, name, title, time_zone, locale, weekend, lat, lon, register_unknown
FROM municipality
ORDER BY name
"""


def municipality_of(row: asyncpg.Record) -> Municipality:
    """Build a municipality from a row with its columns."""
    return Municipality(**{**dict(row), "weekend": tuple(row["weekend"])})


async def list_municipalities(connection: Connection) -> list[Municipality]:
    """Return every municipality by name."""
    return [municipality_of(row) for row in await connection.fetch(_MUNICIPALITIES)]


_MUNICIPALITY = """
SELECT id, name, title, time_zone, locale, weekend, lat, lon, register_unknown
FROM municipality
WHERE name = $1
"""


async def get_municipality(connection: Connection, name: str) -> Municipality:
    """Return one municipality.

    Raises:
        NotFound: there is none of that name.
    """
    row = await connection.fetchrow(_MUNICIPALITY, name)
    if row is None:
        raise NotFound("municipality", name, "`nabd municipality list` shows them")
    return municipality_of(row)


_ALL_DEVICES = """
SELECT
    d.id, d.name, d.kind, m.name AS municipality, d.municipality_id, p.name AS parent, d.parent_id,
    d.title, d.lat, d.lon, d.attributes, d.retired_at, d.retired_reason, d.version,
    g.name AS district, d.district_by_hand
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
"""


async def load(connection: Connection) -> Registry:
    """Return a snapshot of the whole registry (one pass over the devices)."""
    municipalities = {m.name: m for m in await list_municipalities(connection)}
    by_name = {row["name"]: Device(**row) for row in await connection.fetch(_ALL_DEVICES)}
    return Registry(
        devices={device.id: device for device in by_name.values()},
        by_name=by_name,
        municipalities=municipalities,
    )


_DEVICE = """
SELECT
    d.id, d.name, d.kind, m.name AS municipality, d.municipality_id, p.name AS parent, d.parent_id,
    d.title, d.lat, d.lon, d.attributes, d.retired_at, d.retired_reason, d.version,
    g.name AS district, coalesce(g.title, '{}') AS district_title, d.district_by_hand,
    s.name AS street, coalesce(s.title, '{}') AS street_title
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
WHERE d.name = $1
"""


async def get_device(connection: Connection, name: str) -> Device:
    """Return one device, retired or not.

    Raises:
        NotFound: no device has that name.
    """
    row = await connection.fetchrow(_DEVICE, name)
    if row is None:
        raise NotFound("device", name, f"`nabd device list --search {name}` finds similar ones")
    return Device(**row)


_PAGE = """
SELECT
    d.id, d.name, d.kind, m.name AS municipality, d.municipality_id, p.name AS parent, d.parent_id,
    d.title, d.lat, d.lon, d.attributes, d.retired_at, d.retired_reason, d.version,
    g.name AS district, coalesce(g.title, '{}') AS district_title, d.district_by_hand,
    s.name AS street, coalesce(s.title, '{}') AS street_title
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
WHERE
    ($1::text IS NULL OR m.name = $1)
    AND ($2::text IS NULL OR d.kind = $2)
    AND ($3::text IS NULL OR p.name = $3)
    AND ($4::text IS NULL OR strpos(lower(d.name || ' ' || d.title), lower($4)) > 0)
    AND ($5::boolean IS NULL OR (d.retired_at IS NOT NULL) = $5)
    AND ($6::text IS NULL OR d.name > $6)
    AND ($8::text IS NULL OR g.name = $8)
ORDER BY d.name
LIMIT $7
"""


async def list_devices(
    connection: Connection,
    *,
    municipality: str | None = None,
    kind: str | None = None,
    parent: str | None = None,
    district: str | None = None,
    search: str | None = None,
    retired: bool | None = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Device]:
    """Return a page of devices by name.

    Args:
        connection: the database.
        municipality: only this municipality's.
        kind: only this kind.
        parent: only direct children of the device of this name.
        district: only those in districts of this code, of any municipality without one.
        search: only names or titles that contain this text, case ignored.
        retired: False for those in service, True for the retired, None for both.
        after: the last name of the page before.
        limit: at most so many.
    """
    rows = await connection.fetch(_PAGE, municipality, kind, parent, search, retired, after, limit, district)
    return [Device(**row) for row in rows]
