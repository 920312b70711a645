"""The tiles of a simulated town: its land, cut by the grid of web maps, at each zoom what is seen there."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from api.tiles.numbering import Tile
from firmware_sim.land import Land, land
from firmware_sim.physics.flight import position
from firmware_sim.specs import Place
from firmware_sim.town import Town
from nabd.demo.tiles import archive
from nabd.demo.tiles.vector_tile import EXTENT, encode

FIRST_ZOOM, LAST_ZOOM = 9, 14
SEEN_FROM = {"buildings": 14, "roads": 12}
"""From which zoom on a layer is drawn; others at each."""
MARGIN = 64
"""How far a tile knows what is beside it, so that edges do not show."""


def write_tiles(town: Town, file: Path) -> None:
    """Write the town's map as one file."""
    found = land(town.place, town.devices)
    world = [_in_the_world(town.place, one) for one in found]
    # What is drawn in vain far outside would be hundreds of tiles of water.
    earth = next(shape for one, shape in zip(found, world, strict=True) if one.layer == "earth")
    extent = [float(side) for side in shapely.bounds(earth)]
    tree = shapely.STRtree(world)
    tiles = {
        tile: body
        for zoom in range(FIRST_ZOOM, LAST_ZOOM + 1)
        for tile in _tiles(extent, zoom)
        if (body := _draw(tile, found, tree))
    }
    file.write_bytes(archive.write(tiles, _degrees(extent)))


def _in_the_world(place: Place, one: Land) -> shapely.Geometry:
    """Return a shape of metres on the square of the world: 0 to 1 eastwards, and southwards."""
    origin = np.array(_square(place.lat, place.lon))
    # One scale is enough for a town: it is off by less than a metre at its edge.
    lat, lon = position((place.lat, place.lon), (1000.0, 1000.0))
    scale = (np.array(_square(lat, lon)) - origin) / 1000.0

    def moved(points: NDArray[np.float64]) -> NDArray[np.float64]:
        turned: NDArray[np.float64] = origin + points * scale
        return turned

    return shapely.transform(one.shape, moved)


def _square(lat: float, lon: float) -> tuple[float, float]:
    return lon / 360 + 0.5, 0.5 - math.log(math.tan(math.pi / 4 + math.radians(lat) / 2)) / (2 * math.pi)


def _degrees(extent: Sequence[float]) -> tuple[float, float, float, float]:
    west, top, east, bottom = extent
    south, north = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y)))) for y in (bottom, top))
    return (west - 0.5) * 360, south, (east - 0.5) * 360, north


def _tiles(extent: Sequence[float], zoom: int) -> Iterator[Tile]:
    west, top, east, bottom = (int(one * 2**zoom) for one in extent)
    for x in range(west, east + 1):
        for y in range(top, bottom + 1):
            yield zoom, x, y


def _draw(tile: Tile, found: Sequence[Land], tree: shapely.STRtree) -> bytes:
    zoom, x, y = tile
    count = 2**zoom
    reach = MARGIN / EXTENT
    box = ((x - reach) / count, (y - reach) / count, (x + 1 + reach) / count, (y + 1 + reach) / count)

    def placed(points: NDArray[np.float64]) -> NDArray[np.float64]:
        units: NDArray[np.float64] = (points * count - np.array([x, y])) * EXTENT
        return units

    # What lies below stays below.
    near = np.sort(tree.query(shapely.box(*box)))
    seen = [int(i) for i in near if zoom >= SEEN_FROM.get(found[i].layer, 0)]
    cut = shapely.transform(shapely.clip_by_rect(tree.geometries[seen], *box), placed)
    layers: dict[str, list[tuple[str, shapely.Geometry]]] = {}
    for i, shape in zip(seen, shapely.simplify(cut, 2.0), strict=True):
        if not shape.is_empty:
            layers.setdefault(found[i].layer, []).append((found[i].kind, shape))
    return encode(layers)
