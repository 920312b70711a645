"""The made-up layers of a town: its quarters as districts, and its named streets, as GeoJSON. Pure.

A quarter in the middle, the others around it, and the drones' fields apart. Streets lead through the lamps,
around the middle, between the quarters and along the sea. Must not know the registry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from firmware_sim import coast
from firmware_sim.physics.flight import Point, position
from firmware_sim.specs import AVENUES, BOULEVARD, CORNICHE, FIELDS, RING_ROAD, STREET, Place, SimulatedDevice

MIDDLE_M = 400.0
"""Radius of the quarter in the middle."""
TOWN_M = 1400.0
"""Radius of the town: bins and lamps stand within it."""
FIELD_M = 900.0
"""How far from the drones their fields reach."""
STEP_DEG = 12
"""Between the corners of the quarters; divides the sectors of five and of six quarters around the middle."""
END_M = 60.0
"""How far a street goes on beyond its last lamps."""
BOULEVARD_M = 900.0
CORNICHE_M, INLAND_M = 1500.0, 60.0
"""How far the way along the sea reaches, and how far it is from the water."""


def quarter_at(place: Place, east_m: float, north_m: float) -> Mapping[str, str]:
    """Return the names of the quarter at a point around the middle of the town."""
    first, *around = place.quarters
    if math.hypot(east_m, north_m) <= MIDDLE_M:
        return first
    bearing = math.degrees(math.atan2(east_m, north_m)) % 360
    return around[int(bearing * len(around) / 360)]


def layers(place: Place, devices: Sequence[SimulatedDevice]) -> dict[str, dict[str, Any]]:
    """Return the districts and the streets of a town, each as a FeatureCollection."""
    found = {"districts": [*_districts(place, devices)], "streets": [*_streets(place, devices)]}
    return {layer: {"type": "FeatureCollection", "features": features} for layer, features in found.items()}


def _districts(place: Place, devices: Sequence[SimulatedDevice]) -> Iterator[dict[str, Any]]:
    for i, (names, corners) in enumerate(quarters(place)):
        yield _area(place, f"D-{i + 1}", names, corners)
    if fields := orchards(place, devices):
        yield _area(place, f"D-{len(place.quarters) + 1}", FIELDS, fields)


def quarters(place: Place) -> Iterator[tuple[Mapping[str, str], list[Point]]]:
    """Yield the names and the corners of each quarter, that in the middle first; they end at the sea."""
    first, *around = place.quarters
    yield first, _arc(MIDDLE_M, 0, 360)
    water = None if place.sea is None else coast.sea(place.sea)
    width = 360 // len(around)
    for i, names in enumerate(around):
        begin, end = i * width, (i + 1) * width
        corners = [*_arc(TOWN_M, begin, end), *reversed(_arc(MIDDLE_M, begin, end))]
        yield names, corners if water is None else _dry(corners, water)


def _dry(corners: Sequence[Point], water: BaseGeometry) -> list[Point]:
    """Return the largest part of an area that is no water."""
    left = shapely.Polygon(corners).difference(water)
    largest = max(shapely.get_parts(left), key=shapely.area)
    return [(east, north) for east, north in largest.exterior.coords[:-1]]


def orchards(place: Place, devices: Sequence[SimulatedDevice]) -> list[Point]:
    """Return the corners of the fields around the drones, which begin where the town ends; none without."""
    drones = [_around(place, device) for device in devices if device.kind == "drone"]
    if not drones:
        return []
    east, north = zip(*drones, strict=True)
    west, south = min(east) - FIELD_M, min(north) - FIELD_M
    right, top = max(east) + FIELD_M, min(max(north) + FIELD_M, -TOWN_M)
    return [(west, south), (right, south), (right, top), (west, top)]


def _streets(place: Place, devices: Sequence[SimulatedDevice]) -> Iterator[dict[str, Any]]:
    lines = [*streets(place, devices)]
    for i, (names, points) in enumerate(lines):
        yield _feature(f"S-{i + 1}", names, "LineString", _degrees(place, points))


def streets(
    place: Place, devices: Sequence[SimulatedDevice]
) -> Iterator[tuple[Mapping[str, str], list[Point]]]:
    """Yield the names and the positions of each street, in metres around the middle."""
    ring = _arc(MIDDLE_M, 0, 360)
    yield RING_ROAD, [*ring, ring[0]]
    lamps = [device for device in devices if device.kind == "light"]
    for i, (_, row) in enumerate(groupby(lamps, key=lambda lamp: lamp.parent)):
        quarter = place.quarters[i % len(place.quarters)]
        turn = f" {i // len(place.quarters) + 1}" if i >= len(place.quarters) else ""
        names = {language: said.format(quarter[language]) + turn for language, said in STREET.items()}
        yield names, _through([_around(place, lamp) for lamp in row])
    outer = _arc(BOULEVARD_M, 0, 360)
    yield BOULEVARD, [*outer, outer[0]]
    width = 360 // (len(place.quarters) - 1)
    for i, names in enumerate(AVENUES[: len(place.quarters) - 1]):
        yield names, [*_arc(MIDDLE_M, i * width, i * width), *_arc(BOULEVARD_M, i * width, i * width)]
    if place.sea is not None:
        yield CORNICHE, coast.along_the_coast(place.sea, CORNICHE_M, INLAND_M)


def _through(points: Sequence[Point]) -> list[Point]:
    """Return the ends of a street through lamps that stand in a row."""
    (east, north), (last_east, last_north) = points[0], points[-1]
    long = math.hypot(last_east - east, last_north - north)
    along = ((last_east - east) / long, (last_north - north) / long) if long else (1.0, 0.0)
    return [
        (east - END_M * along[0], north - END_M * along[1]),
        (last_east + END_M * along[0], last_north + END_M * along[1]),
    ]


def _arc(radius_m: float, begin: int, end: int) -> list[Point]:
    """Return points on a circle between two bearings, in degrees; the end of a whole turn is left out."""
    bearings = range(begin, end + (0 if end - begin == 360 else 1), STEP_DEG)
    return [(radius_m * math.sin(math.radians(b)), radius_m * math.cos(math.radians(b))) for b in bearings]


def metres_around(place: Place, lat: float, lon: float) -> Point:
    """Return where a position lies, metres east and north of the middle of the town."""
    unit_lat, unit_lon = position((place.lat, place.lon), (1.0, 1.0))
    return (lon - place.lon) / (unit_lon - place.lon), (lat - place.lat) / (unit_lat - place.lat)


def _around(place: Place, device: SimulatedDevice) -> Point:
    return metres_around(place, device.lat, device.lon)


def _area(place: Place, code: str, names: Mapping[str, str], corners: Sequence[Point]) -> dict[str, Any]:
    return _feature(code, names, "Polygon", [_degrees(place, [*corners, corners[0]])])


def _degrees(place: Place, points: Sequence[Point]) -> list[list[float]]:
    at = (position((place.lat, place.lon), point) for point in points)
    return [[round(lon, 7), round(lat, 7)] for lat, lon in at]


def _feature(code: str, names: Mapping[str, str], geometry: str, coordinates: object) -> dict[str, Any]:
    properties = {"code": code, **{f"name:{language}": name for language, name in names.items()}}
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": geometry, "coordinates": coordinates},
    }
