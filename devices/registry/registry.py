"""The registry as it is read: municipalities and devices, one by one, by page, or as a snapshot.

Changes are in `registration`, `editing` and `municipalities`. Must not know HTTP or MQTT.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from devices.registry.device import Device, Municipality, Registry
from devices.registry.errors import AlreadyExists, Conflict, Invalid, NotFound, RegistryError
from devices.registry.loading import list_municipalities, load, municipality_of
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
    "municipality_of",
]


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


def _device_of(row: asyncpg.Record) -> Device:
    return Device(**{**dict(row), "relays": tuple(row["relays"])})


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
