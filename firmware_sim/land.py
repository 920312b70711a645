"""What a map shows of a town beside its layers: sea, parks, fields, lanes, houses. Made up, and pure.

In the layers and kinds of Protomaps' base maps (water, landuse, roads, buildings), in metres east and north
of the middle. Same town, same land. Must not know tiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from firmware_sim import coast, ground
from firmware_sim.physics.flight import Point
from firmware_sim.specs import Place, SimulatedDevice

LAND_M = 5200.0
"""How far the land is drawn."""
HOUSES_M = 1180.0
"""How far from the middle there are houses."""
STREET_M, LANE_M = 11.0, 5.0
"""Half the width that streets, and lanes, keep free of houses."""
PARKS = (
    (0.0, 0.0, 62.0),
    (650.0, 76.0, 95.0),
    (560.0, 196.0, 70.0),
    (760.0, 320.0, 80.0),
    (1010.0, 250.0, 120.0),
)
"""How far from the middle, in which direction, and how wide."""
WOODS = ((2700.0, 90.0, 620.0), (3100.0, 35.0, 800.0), (2500.0, 235.0, 520.0), (3600.0, 190.0, 760.0))
INLAND_WOODS = ((2600.0, 310.0, 760.0), (3000.0, 350.0, 680.0))
CELLS_M = ((62.0, 46.0), (96.0, 64.0))
"""Distances of lanes in the middle, and around it."""
PARCEL_M = (190.0, 120.0)
CROPS = ("orchard", "farmland", "orchard", "meadow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Land:
    """One thing on the ground: its layer, its kind there, its shape in metres."""

    layer: str
    kind: str
    shape: BaseGeometry


def land(place: Place, devices: Sequence[SimulatedDevice]) -> list[Land]:
    """Return everything, what lies below first."""
    chance = np.random.default_rng([ord(letter) for letter in place.prefix])
    water: BaseGeometry = shapely.Polygon() if place.sea is None else coast.sea(place.sea)
    dry = shapely.box(-LAND_M, -LAND_M, LAND_M, LAND_M).difference(water)
    streets: list[BaseGeometry] = [shapely.LineString(points) for _, points in ground.streets(place, devices)]
    parks: list[BaseGeometry] = [_blob(*at, chance).intersection(dry) for at in PARKS]
    open_m = shapely.union_all([line.buffer(STREET_M, quad_segs=2) for line in streets] + [*parks])
    found = [Land(layer="earth", kind="earth", shape=dry)]
    if place.sea is not None:
        found += [
            Land(layer="water", kind="ocean", shape=water),
            Land(layer="landuse", kind="beach", shape=coast.beach(place.sea)),
        ]
    woods = WOODS if place.sea is not None else (*WOODS, *INLAND_WOODS)
    found += [Land(layer="landuse", kind="wood", shape=_blob(*at, chance).intersection(dry)) for at in woods]
    found += [Land(layer="landuse", kind="park", shape=park) for park in parks]
    fields = ground.orchards(place, devices)
    found += [*_parcels(fields, chance), *_country_road(fields)] if fields else []
    for i, (_, corners) in enumerate(ground.quarters(place)):
        area = shapely.Polygon(corners).intersection(shapely.Point(0, 0).buffer(HOUSES_M))
        found += _quarter(i, area, area.difference(open_m), chance)
    return found


def _quarter(i: int, area: BaseGeometry, free: BaseGeometry, chance: np.random.Generator) -> Iterator[Land]:
    """Yield the lanes of a quarter, in a grid that is turned as the quarter lies, and the houses between."""
    wide, deep = CELLS_M[min(i, 1)]
    middle = area.centroid
    turn = 17.0 if i == 0 else -math.degrees(math.atan2(middle.x, middle.y))
    level = affinity.rotate(area, -turn, origin=(0, 0))
    west, south, east, north = level.bounds
    columns, rows = np.arange(west, east, wide), np.arange(south, north, deep)
    lanes = [shapely.LineString([(x, south), (x, north)]) for x in columns]
    lanes += [shapely.LineString([(west, y), (east, y)]) for y in rows]
    for lane in lanes:
        yield from _parts(
            "roads", "minor_road", affinity.rotate(lane, turn, origin=(0, 0)).intersection(area)
        )
    houses = [
        affinity.rotate(house, turn, origin=(0, 0))
        for x in columns
        for y in rows
        for house in _block(x + LANE_M, y + LANE_M, wide - 2 * LANE_M, deep - 2 * LANE_M, chance)
    ]
    shapely.prepare(free)
    for house in houses:
        thinned = math.hypot(house.centroid.x, house.centroid.y) / HOUSES_M
        if chance.random() > thinned**3 and (whole := house.intersection(free)).area > house.area / 2:
            yield from _parts("buildings", "building", whole)


def _block(
    x: float, y: float, wide: float, deep: float, chance: np.random.Generator
) -> Iterator[shapely.Polygon]:
    """Yield the houses between four lanes, two rows of them."""
    edges = np.cumsum([0.0, *chance.uniform(13.0, 24.0, 8)])
    for row in (0.0, deep / 2):
        for left, right in pairwise(edges):
            if right < wide:
                yard = chance.uniform(1.0, 6.0)
                yield shapely.box(x + left, y + row + 1, x + right - 2.5, y + row + deep / 2 - yard)


def _parcels(corners: Sequence[Point], chance: np.random.Generator) -> Iterator[Land]:
    """Yield fields beside each other, some of them left fallow."""
    whole = shapely.Polygon(corners)
    west, south, east, north = whole.bounds
    for x in np.arange(west, east, PARCEL_M[0]):
        for y in np.arange(south, north, PARCEL_M[1]):
            if chance.random() < 0.86:
                parcel = shapely.box(x + 5, y + 5, x + PARCEL_M[0] - 5, y + PARCEL_M[1] - 5)
                crop = CROPS[int(chance.integers(len(CROPS)))]
                yield from _parts("landuse", crop, affinity.rotate(parcel, 9, origin=(west, south)))


def _country_road(corners: Sequence[Point]) -> Iterator[Land]:
    """Yield the road from the town through the fields."""
    middle = shapely.Polygon(corners).centroid
    bend = (middle.x * 0.75, middle.y * 0.55)
    out = math.hypot(*bend)
    start = (bend[0] / out * ground.BOULEVARD_M, bend[1] / out * ground.BOULEVARD_M)
    road = shapely.LineString([start, bend, (middle.x, middle.y), (middle.x * 1.1, middle.y * 1.5)])
    yield Land(layer="roads", kind="major_road", shape=road)


def _parts(layer: str, kind: str, shape: BaseGeometry) -> Iterator[Land]:
    for part in shapely.get_parts(shape):
        if part.geom_type in ("Polygon", "LineString") and not part.is_empty:
            yield Land(layer=layer, kind=kind, shape=part)


def _blob(away: float, bearing: float, wide: float, chance: np.random.Generator) -> shapely.Polygon:
    """Return an area with a soft outline; its radius is about half of `wide` to `wide`."""
    east, north = away * math.sin(math.radians(bearing)), away * math.cos(math.radians(bearing))
    phases = chance.uniform(0, 2 * math.pi, 3)
    around = np.linspace(0, 2 * math.pi, 40, endpoint=False)
    radius = wide * (0.8 + sum(0.09 * np.sin((n + 2) * around + phase) for n, phase in enumerate(phases)))
    return shapely.Polygon(np.column_stack([east + radius * np.cos(around), north + radius * np.sin(around)]))
