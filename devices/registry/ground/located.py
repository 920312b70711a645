"""In which district and street each device stands, kept right: found for many at once, from the layers.

Every change of a device's place, or of a layer, ends here, in its transaction. Must not know HTTP or files.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from devices.registry.errors import Invalid
from devices.registry.ground.feature import AUTO, Layer
from devices.registry.ground.nearest import nearest
from devices.registry.ground.overlaps import SLIVER_M
from devices.suggestion import meant
from store.connection import Connection

AT_DISTRICT_M = SLIVER_M
"""A device outside of every district belongs to one whose border is so near: borders are drawn by hand."""
AT_STREET_M = 50.0
"""How far from a street a device may stand and still be found by its name."""
MARGIN_DEG = 0.001
"""More than either in degrees of latitude, about 111 m."""

_HOLD = "SELECT id FROM municipality WHERE name = ANY($1) ORDER BY id FOR SHARE"


async def hold(connection: Connection, municipalities: Collection[str]) -> None:
    """Keep the layers of municipalities as they are until the transaction ends; before devices are locked."""
    await connection.execute(_HOLD, list(municipalities))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Device:
    """Where a device stands and which district and street are stored for it."""

    id: int
    municipality_id: int
    lat: float | None
    lon: float | None
    district_id: int | None
    district_by_hand: bool
    street_id: int | None


_Located = tuple[int | None, bool, int | None]
"""District, whether it was set by hand, street."""

_CHOOSE = """
UPDATE device SET district_id = f.id, district_by_hand = true
FROM unnest($1::integer [], $2::text []) AS r (id, code), ground_feature AS f
WHERE
    device.id = r.id AND f.municipality_id = device.municipality_id
    AND f.layer = 'districts' AND f.name = r.code
RETURNING device.id
"""

_RELEASE = "UPDATE device SET district_by_hand = false WHERE id = ANY($1) AND district_by_hand"


async def settle(connection: Connection, said: Mapping[int, str | None]) -> None:
    """Find district and street of devices that were added or changed, in the caller's transaction.

    Args:
        connection: the database; `hold` was called.
        said: by device id the district that somebody set, AUTO for the one in which it stands, None where
            nothing was said: what was set before stays, but in another municipality.

    Raises:
        Invalid: field `district`: its municipality has none of that code.
    """
    if not said:
        return
    codes = {device: code for device, code in said.items() if code is not None and code.lower() != AUTO}
    if codes:
        rows = await connection.fetch(_CHOOSE, list(codes), list(codes.values()))
        for device in codes.keys() - {row["id"] for row in rows}:
            raise await _unknown(connection, device, codes[device])
    released = [device for device, code in said.items() if code is not None and device not in codes]
    if released:
        await connection.execute(_RELEASE, released)
    await _locate(connection, [dict(row) for row in await connection.fetch(_BY_ID, list(said))])


_CODES_OF_DEVICE = """
SELECT m.name AS municipality, f.name
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS f ON f.municipality_id = m.id AND f.layer = 'districts'
WHERE d.id = $1
"""


async def _unknown(connection: Connection, device: int, code: str) -> Invalid:
    rows = await connection.fetch(_CODES_OF_DEVICE, device)
    return unknown_district(code, rows[0]["municipality"], [row["name"] for row in rows if row["name"]])


def unknown_district(code: str, municipality: str, known: Iterable[str]) -> Invalid:
    """Return why a code is no district of a municipality, with those that are."""
    return Invalid("district", f"{code!r} is no district of {municipality}; {meant(code, known)}, or {AUTO}")


_BY_ID = """
SELECT
    d.id, d.municipality_id, d.lat, d.lon, d.district_id, d.street_id,
    d.district_by_hand AND coalesce(f.municipality_id = d.municipality_id, false) AS district_by_hand
FROM device AS d
LEFT JOIN ground_feature AS f ON d.district_id = f.id
WHERE d.id = ANY($1)
ORDER BY d.municipality_id, d.id
"""

_BY_MUNICIPALITY = """
SELECT
    d.id, d.municipality_id, d.lat, d.lon, d.district_id, d.street_id,
    d.district_by_hand AND coalesce(f.municipality_id = d.municipality_id, false)
    AND f.id <> ALL($2) AS district_by_hand
FROM device AS d
LEFT JOIN ground_feature AS f ON d.district_id = f.id
WHERE d.municipality_id = $1
ORDER BY d.id
"""


async def settle_all(connection: Connection, municipality_id: int, *, without: Collection[int]) -> int:
    """Find district and street of every device of a municipality anew; return of how many they changed.

    `without` are the features that are about to be taken away.
    """
    rows = await connection.fetch(_BY_MUNICIPALITY, municipality_id, list(without))
    return await _locate(connection, [dict(row) for row in rows], without)


_FEATURES = """
SELECT id, layer, geometry
FROM ground_feature
WHERE municipality_id = $1 AND id <> ALL($6) AND east >= $2 AND west <= $3 AND north >= $4 AND south <= $5
ORDER BY name COLLATE "C"
"""

# What is stored may differ from what was read of it: a district set by hand that is another municipality's.
_STORE = """
UPDATE device SET district_id = r.district_id, district_by_hand = r.by_hand, street_id = r.street_id
FROM
    unnest($1::integer [], $2::integer [], $3::boolean [], $4::integer [])
    AS r (id, district_id, by_hand, street_id)
WHERE
    device.id = r.id
    AND (device.district_id, device.district_by_hand, device.street_id)
    IS DISTINCT FROM (r.district_id, r.by_hand, r.street_id)
RETURNING device.id
"""


async def _locate(
    connection: Connection, rows: Iterable[Mapping[str, Any]], without: Collection[int] = ()
) -> int:
    found: dict[int, _Located] = {}
    devices = [_Device(**row) for row in rows]
    for municipality_id, group in groupby(devices, key=lambda device: device.municipality_id):
        several = list(group)
        bounds = _bounds(several)
        features = await _near(connection, municipality_id, bounds, without) if bounds else []
        # Thousands of devices over thousands of streets take long enough to hold up everybody else.
        found |= await asyncio.to_thread(_found, several, features)
    districts = [one[0] for one in found.values()]
    by_hand = [one[1] for one in found.values()]
    streets = [one[2] for one in found.values()]
    return len(await connection.fetch(_STORE, list(found), districts, by_hand, streets))


async def _near(
    connection: Connection,
    municipality_id: int,
    bounds: tuple[float, float, float, float],
    without: Collection[int],
) -> list[dict[str, Any]]:
    rows = await connection.fetch(_FEATURES, municipality_id, *bounds, list(without))
    return [dict(row) for row in rows]


def _bounds(devices: Iterable[_Device]) -> tuple[float, float, float, float] | None:
    """Return west, east, south and north of devices with some room around, None where none has a position."""
    placed = [(d.lon, d.lat) for d in devices if d.lon is not None and d.lat is not None]
    if not placed:
        return None
    lon, lat = np.array(placed).T
    room = MARGIN_DEG / max(float(np.cos(np.radians(np.abs(lat).max()))), 0.01)
    return (
        float(lon.min() - room),
        float(lon.max() + room),
        float(lat.min() - MARGIN_DEG),
        float(lat.max() + MARGIN_DEG),
    )


def _found(devices: Sequence[_Device], features: Sequence[Mapping[str, Any]]) -> dict[int, _Located]:
    """Return what is to be stored for each device. Pure."""
    districts = _in_layer(devices, features, Layer.DISTRICTS, AT_DISTRICT_M)
    streets = _in_layer(devices, features, Layer.STREETS, AT_STREET_M)
    found = {}
    for device in devices:
        by_hand = device.district_by_hand
        district = device.district_id if by_hand else districts.get(device.id)
        found[device.id] = district, by_hand, streets.get(device.id)
    return found


def _in_layer(
    devices: Iterable[_Device], features: Iterable[Mapping[str, Any]], layer: Layer, within_m: float
) -> dict[int, int]:
    """Return the feature of one layer by device, for devices that have one."""
    placed = [(d.id, d.lat, d.lon) for d in devices if d.lat is not None and d.lon is not None]
    own = [feature for feature in features if feature["layer"] == layer]
    if not placed or not own:
        return {}
    ids, lat, lon = zip(*placed, strict=True)
    found = nearest([feature["geometry"] for feature in own], lat, lon, within_m)
    return {ids[i]: own[found[i]]["id"] for i in np.flatnonzero(found >= 0)}
