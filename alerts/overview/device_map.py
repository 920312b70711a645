"""Devices on a map: one by one where they are few, else how many stand in each cell of a grid.

The grid stands still while the map moves: its cells are counted from 0°, and as high as wide on the screen.
Must not know HTTP.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alerts.overview.standing import STANDING, STATUSES, DeviceFilter, arguments, by_status
from devices.kinds import Kinds
from store.connection import Connection

FEW = 500
"""So many devices are answered one by one."""
CELL_PX = 56
"""Width of a cell on the screen, where the world is 512 pixels wide at zoom 0."""
MIDDLE = 0.98
"""The part of the devices that bounds are of: one that is set down far away does not shrink the town."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """A rectangle in degrees."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MapDevice:
    """One device where it stands. status: one of STATUSES."""

    name: str
    title: str
    titles: Mapping[str, str]
    kind: str
    lat: float
    lon: float
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCell:
    """Devices close to each other: their middle, how many, the worst of them, and how many are how."""

    lat: float
    lon: float
    count: int
    status: str
    by_status: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMap:
    """What a map shows: devices or cells. bounds: of the middle devices, None where nothing stands."""

    count: int
    by_status: Mapping[str, int]
    bounds: Bounds | None
    devices: Sequence[MapDevice]
    cells: Sequence[MapCell]


_CELLS = f"""
{STANDING}
SELECT
    avg(s.lat) AS lat, avg(s.lon) AS lon, min(s.rank) AS rank,
    array[
        count(*) FILTER (WHERE s.rank = 0), count(*) FILTER (WHERE s.rank = 1),
        count(*) FILTER (WHERE s.rank = 2), count(*) FILTER (WHERE s.rank = 3),
        count(*) FILTER (WHERE s.rank = 4), count(*) FILTER (WHERE s.rank = 5),
        count(*) FILTER (WHERE s.rank = 6)
    ] AS counts
FROM (
    SELECT here.lat, here.lon, here.rank FROM standing AS here
    WHERE here.lon BETWEEN $11 AND $13 AND here.lat BETWEEN $12 AND $14
    OFFSET 0
) AS s
GROUP BY floor(s.lon / $15), floor(s.lat / $16)
ORDER BY min(s.rank) DESC, count(*)
"""  # noqa: S608 - a constant of this room

_DEVICES = f"""
{STANDING}
SELECT s.name, s.title, s.titles, s.kind, s.lat, s.lon, s.rank
FROM standing AS s
WHERE s.lon BETWEEN $11 AND $13 AND s.lat BETWEEN $12 AND $14
ORDER BY s.rank DESC, s.name
LIMIT $15
"""  # noqa: S608 - a constant of this room

_BOUNDS = f"""
{STANDING}
SELECT
    percentile_disc(array[$11::float8, 1 - $11::float8]) WITHIN GROUP (ORDER BY s.lon) AS lon,
    percentile_disc(array[$11::float8, 1 - $11::float8]) WITHIN GROUP (ORDER BY s.lat) AS lat
FROM standing AS s
WHERE s.lat IS NOT NULL AND s.lon IS NOT NULL
"""  # noqa: S608 - a constant of this room

WORLD = Bounds(west=-180.0, south=-90.0, east=180.0, north=90.0)


async def device_map(
    connection: Connection, kinds: Kinds, asked: DeviceFilter, *, within: Bounds | None, zoom: float
) -> DeviceMap:
    """Return what stands in a rectangle; without one, everything, and where most of it stands."""
    given = arguments(kinds, asked)
    seen = within or WORLD
    corners = [seen.west, seen.south, seen.east, seen.north]
    cells = [
        _cell(dict(row)) for row in await connection.fetch(_CELLS, *given, *corners, *_sizes(seen, zoom))
    ]
    count = sum(cell.count for cell in cells)
    few = count <= FEW
    rows = await connection.fetch(_DEVICES, *given, *corners, FEW) if few and count else []
    return DeviceMap(
        count=count,
        by_status=by_status([sum(cell.by_status.get(one, 0) for cell in cells) for one in STATUSES]),
        bounds=None if within else await _bounds(connection, given),
        devices=[MapDevice(**{k: row[k] for k in _PLAIN}, status=STATUSES[row["rank"]]) for row in rows],
        cells=[] if few else cells,
    )


_PLAIN = ("name", "title", "titles", "kind", "lat", "lon")


def _cell(row: Mapping[str, Any]) -> MapCell:
    return MapCell(
        lat=row["lat"],
        lon=row["lon"],
        count=sum(row["counts"]),
        status=STATUSES[row["rank"]],
        by_status=by_status(row["counts"]),
    )


def _sizes(seen: Bounds, zoom: float) -> tuple[float, float]:
    """Return width and height of a cell in degrees; the height is of a whole degree, so that it stays."""
    wide = CELL_PX * 360 / (512 * 2 ** math.floor(zoom))
    middle = round((max(seen.south, -80) + min(seen.north, 80)) / 2)
    return wide, wide * math.cos(math.radians(middle))


async def _bounds(connection: Connection, given: Sequence[object]) -> Bounds | None:
    row = await connection.fetchrow(_BOUNDS, *given, (1 - MIDDLE) / 2)
    if row is None or row["lon"] is None:
        return None
    (west, east), (south, north) = row["lon"], row["lat"]
    return Bounds(west=west, south=south, east=east, north=north)
