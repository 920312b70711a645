"""What devices say of the ground: the areas among their attributes, and which hang on one circuit or cabinet.

Asked for by the part of the map that is seen. Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np
import shapely

from devices.kinds import Kinds
from devices.kinds.kind import AttributeType
from store.connection import Connection

MOST = 300
"""So many of each are answered: more would be no picture."""
MOST_BELOW = 150
"""Beyond it, what hangs below one is not drawn as a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceArea:
    """A shape on the ground, and whose it is. attribute: which of its areas; None: what hangs on it."""

    device: str
    title: str
    titles: Mapping[str, str]
    kind: str
    attribute: str | None
    geometry: Mapping[str, Any]


_ZONES = """
SELECT d.name AS device, d.title, d.titles, d.kind, a.key AS attribute, a.value AS geometry
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
CROSS JOIN LATERAL jsonb_each(d.attributes) AS a (key, value)
WHERE
    ($1::text [] IS NULL OR m.name = ANY($1)) AND d.retired_at IS NULL AND d.installed_at IS NOT NULL
    AND d.kind = ANY($2) AND a.key = ANY($3) AND jsonb_typeof(a.value) = 'object'
    AND d.lon BETWEEN $4 AND $6 AND d.lat BETWEEN $5 AND $7
ORDER BY d.name, a.key
LIMIT $8
"""

_CIRCUITS = """
SELECT
    p.name AS device, p.title, p.titles, p.kind,
    array_agg(d.lon ORDER BY d.id) AS lon, array_agg(d.lat ORDER BY d.id) AS lat
FROM device AS d
INNER JOIN device AS p ON d.parent_id = p.id
INNER JOIN municipality AS m ON p.municipality_id = m.id
WHERE
    ($1::text [] IS NULL OR m.name = ANY($1)) AND d.retired_at IS NULL AND p.retired_at IS NULL
    AND d.installed_at IS NOT NULL AND d.lat IS NOT NULL AND d.lon IS NOT NULL AND d.kind = ANY($2)
    AND p.id IN (
        SELECT seen.parent_id FROM device AS seen
        WHERE
            seen.lon BETWEEN $3 AND $5 AND seen.lat BETWEEN $4 AND $6
            AND seen.retired_at IS NULL AND seen.installed_at IS NOT NULL
    )
GROUP BY p.id
HAVING count(*) BETWEEN 2 AND $8
ORDER BY p.name
LIMIT $7
"""


async def areas(
    connection: Connection,
    kinds: Kinds,
    within: Collection[str] | None,
    corners: tuple[float, float, float, float],
) -> list[DeviceArea]:
    """Return areas of devices that stand in a rectangle, and lines through those that hang on one of them.

    Args:
        connection: the database.
        kinds: says which attributes are areas, and who measures.
        within: municipalities that the reader may see, None: all.
        corners: west, south, east, north, in degrees.
    """
    towns = None if within is None else list(within)
    drawn = {name: _areas_of(kinds, name) for name in kinds}
    bearing = [name for name, found in drawn.items() if found]
    keys = sorted({key for found in drawn.values() for key in found})
    zones = await connection.fetch(_ZONES, towns, bearing, keys, *corners, MOST)
    circuits = await connection.fetch(_CIRCUITS, towns, list(kinds), *corners, MOST, MOST_BELOW)
    found = [DeviceArea(**row) for row in zones if row["attribute"] in drawn[row["kind"]]]
    # In a thread: hundreds of circuits take a part of a second.
    return found + await asyncio.to_thread(_circuits, circuits)


def _circuits(rows: Sequence[asyncpg.Record]) -> list[DeviceArea]:
    return [
        DeviceArea(
            device=row["device"],
            title=row["title"],
            titles=row["titles"],
            kind=row["kind"],
            attribute=None,
            geometry=_through(row["lon"], row["lat"]),
        )
        for row in rows
    ]


def _areas_of(kinds: Kinds, kind: str) -> set[str]:
    return {one.name for one in kinds[kind].attributes if one.type is AttributeType.POLYGON}


def _through(lon: Sequence[float], lat: Sequence[float]) -> dict[str, Any]:
    """Return lines that join places, as short as they can be together (Prim)."""
    at = np.column_stack([lon, lat])
    flat = at * [np.cos(np.radians(at[:, 1].mean())), 1.0]
    nearest = np.zeros(len(at), dtype=np.int64)
    away = np.hypot(*(flat - flat[0]).T)
    waiting = np.ones(len(at), dtype=bool)
    waiting[0] = False
    lines = []
    while waiting.any():
        here = int(np.flatnonzero(waiting)[np.argmin(away[waiting])])
        lines.append(shapely.LineString([at[nearest[here]], at[here]]))
        waiting[here] = False
        now = np.hypot(*(flat - flat[here]).T)
        closer = waiting & (now < away)
        nearest[closer], away[closer] = here, now[closer]
    joined = shapely.line_merge(shapely.union_all(lines))
    return dict(shapely.geometry.mapping(joined))
