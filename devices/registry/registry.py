"""The registry as it is read: municipalities and devices, one by one, by page, or as a snapshot.

Changes are in `registration`, `editing` and `municipalities`. Must not know HTTP or MQTT.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from devices.instants import EPOCH, rfc3339
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound, RegistryError
from devices.registry.life import Life, life_of
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

    `title` is by language (en, fr, ar). `weekend` holds ISO days, 1 is Monday. `shard` names whose ingest
    hears it.
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
    shard: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One registered device: a place, with the hardware that stands there; `name` is the place's.

    titles: what it is called by language, where that is not `title`.
    parent: what feeds it. relays: the gateways that pass on what it sends, by name.
    wire_name: what the hardware calls itself in topics, if not by the name. replaced: how many stood there
    before. installed_at: None while it is planned. retired_at: None until it is retired. district, street:
    codes of where it stands (devices/registry/ground), with their names by language; a snapshot of the whole
    registry has neither street nor names.
    """

    id: int
    name: str
    kind: str
    municipality: str
    municipality_id: int
    parent: str | None = None
    parent_id: int | None = None
    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    lat: float | None = None
    lon: float | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    relays: tuple[str, ...] = ()
    wire_name: str = ""
    serial: str | None = None
    replaced: int = 0
    installed_at: datetime | None = EPOCH
    retired_at: datetime | None = None
    retired_reason: str | None = None
    version: int = 1
    district: str | None = None
    district_title: Mapping[str, str] = field(default_factory=dict)
    district_by_hand: bool = False
    street: str | None = None
    street_title: Mapping[str, str] = field(default_factory=dict)

    @property
    def wire(self) -> str:
        """What its hardware calls itself in topics."""
        return self.wire_name or self.name

    @property
    def life(self) -> Life:
        """Whether it is planned, installed or retired."""
        return life_of(self.installed_at, self.retired_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Everything registered, at one moment; retired devices included, with the instant of retirement.

    removed: by wire name, of hardware that stands nowhere any more, where it stood and since when not.
    banned: names that are never let in.
    """

    devices: Mapping[int, Device]
    by_name: Mapping[str, Device]
    municipalities: Mapping[str, Municipality]
    removed: Mapping[str, str] = field(default_factory=dict)
    banned: frozenset[str] = frozenset()


_MUNICIPALITIES = """
SELECT id, name, title, time_zone, locale, weekend, lat, lon, register_unknown, shard
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
SELECT id, name, title, time_zone, locale, weekend, lat, lon, register_unknown, shard
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
    d.title, d.titles, d.lat, d.lon, d.attributes, d.installed_at, d.retired_at, d.retired_reason,
    d.version, coalesce(h.wire_name, d.name) AS wire_name, h.serial, coalesce(h.number, 0) AS replaced,
    coalesce(behind.relays, '{}') AS relays,
    g.name AS district, d.district_by_hand
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
LEFT JOIN (
    SELECT relay.device_id, array_agg(gateway.name ORDER BY gateway.name COLLATE "C") AS relays
    FROM relay
    INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
    GROUP BY relay.device_id
) AS behind ON d.id = behind.device_id
"""


def _device_of(row: asyncpg.Record) -> Device:
    return Device(**{**dict(row), "relays": tuple(row["relays"])})


_REMOVED = """
SELECT DISTINCT ON (hardware.wire_name) hardware.wire_name, device.name, hardware.removed_at
FROM hardware
INNER JOIN device ON hardware.device_id = device.id
WHERE hardware.removed_at IS NOT NULL
ORDER BY hardware.wire_name, hardware.removed_at DESC
"""


_BANNED = "SELECT name FROM banned_device"


async def load(connection: Connection) -> Registry:
    """Return a snapshot of the whole registry (one pass over the devices)."""
    municipalities = {m.name: m for m in await list_municipalities(connection)}
    by_name = {row["name"]: _device_of(row) for row in await connection.fetch(_ALL_DEVICES)}
    return Registry(
        devices={device.id: device for device in by_name.values()},
        by_name=by_name,
        municipalities=municipalities,
        removed={
            row["wire_name"]: f"{row['name']} at {rfc3339(row['removed_at'])}"
            for row in await connection.fetch(_REMOVED)
        },
        banned=frozenset(row["name"] for row in await connection.fetch(_BANNED)),
    )


_SELECT = """
SELECT
    d.id, d.name, d.kind, m.name AS municipality, d.municipality_id, p.name AS parent, d.parent_id,
    d.title, d.titles, d.lat, d.lon, d.attributes, d.installed_at, d.retired_at, d.retired_reason,
    d.version, coalesce(h.wire_name, d.name) AS wire_name, h.serial, coalesce(h.number, 0) AS replaced,
    ARRAY(
        SELECT gateway.name FROM relay
        INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
        WHERE relay.device_id = d.id
        ORDER BY gateway.name COLLATE "C"
    ) AS relays,
    g.name AS district, coalesce(g.title, '{}') AS district_title, d.district_by_hand,
    s.name AS street, coalesce(s.title, '{}') AS street_title
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN device AS p ON d.parent_id = p.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
"""
_DEVICE = _SELECT + "WHERE d.name = $1"


async def get_device(connection: Connection, name: str) -> Device:
    """Return one device, retired or not.

    Raises:
        NotFound: no device has that name.
    """
    row = await connection.fetchrow(_DEVICE, name)
    if row is None:
        raise NotFound("device", name, f"`nabd device list --search {name}` finds similar ones")
    return _device_of(row)


_CHOSEN = """
WHERE
    ($1::text IS NULL OR m.name = $1)
    AND ($2::text IS NULL OR d.kind = $2)
    AND (
        $3::text IS NULL OR p.name = $3 OR EXISTS (
            SELECT FROM relay
            INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
            WHERE relay.device_id = d.id AND gateway.name = $3
        )
    )
    AND (
        $4::text IS NULL OR EXISTS (
            SELECT FROM relay
            INNER JOIN device AS gateway ON relay.gateway_id = gateway.id
            WHERE relay.device_id = d.id AND gateway.name = $4
        )
    )
    AND ($5::text IS NULL OR strpos(d.searched, folded($5)) > 0)
    AND ($6::boolean IS NULL OR (d.retired_at IS NOT NULL) = $6)
    AND (
        $7::text IS NULL OR $7 = CASE
            WHEN d.retired_at IS NOT NULL THEN 'retired'
            WHEN d.installed_at IS NULL THEN 'planned'
            ELSE 'installed'
        END
    )
    AND ($8::text IS NULL OR d.name > $8)
    AND ($10::text IS NULL OR g.name = $10)
    AND ($11::text [] IS NULL OR m.name = ANY($11))
ORDER BY d.name
LIMIT $9
"""
_PAGE = _SELECT + _CHOSEN


async def list_devices(
    connection: Connection,
    *,
    municipality: str | None = None,
    kind: str | None = None,
    parent: str | None = None,
    relay: str | None = None,
    district: str | None = None,
    search: str | None = None,
    retired: bool | None = False,
    life: str | None = None,
    after: str | None = None,
    limit: int = 100,
    within: Sequence[str] | None = None,
) -> list[Device]:
    """Return a page of devices by name.

    Args:
        connection: the database.
        municipality: only this municipality's.
        kind: only this kind.
        parent: only what the device of this name feeds, or relays.
        relay: only what the gateway of this name relays.
        district: only those in districts of this code, of any municipality without one.
        search: only names or titles, in any language, that contain this text as search compares it.
        retired: False for those in service, True for the retired, None for both.
        life: only those of this life (devices.registry.life); `retired` then says nothing.
        after: the last name of the page before.
        limit: at most so many.
        within: only those of these municipalities; None: of all.
    """
    retired = retired if life is None else None
    rows = await connection.fetch(
        _PAGE,
        municipality,
        kind,
        parent,
        relay,
        search,
        retired,
        life,
        after,
        limit,
        district,
        within,
    )
    return [_device_of(row) for row in rows]
