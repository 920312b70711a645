"""The made-up map of a town: its quarters as districts, and streets through its lamps, as GeoJSON. Pure.

A quarter in the middle, the others around it, and the drones' fields apart. Must not know the registry.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from firmware_sim.physics.flight import Point, position
from firmware_sim.specs import FIELDS, RING_ROAD, STREET, Place, SimulatedDevice

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
    first, *around = place.quarters
    yield _area(place, "D-1", first, _arc(MIDDLE_M, 0, 360))
    width = 360 // len(around)
    for i, names in enumerate(around):
        begin, end = i * width, (i + 1) * width
        yield _area(
            place, f"D-{i + 2}", names, [*_arc(TOWN_M, begin, end), *reversed(_arc(MIDDLE_M, begin, end))]
        )
    drones = [_around(place, device) for device in devices if device.kind == "drone"]
    if drones:
        east, north = zip(*drones, strict=True)
        west, south = min(east) - FIELD_M, min(north) - FIELD_M
        # The town ends where the fields begin.
        top = min(max(north) + FIELD_M, -TOWN_M)
        corners = [(west, south), (max(east) + FIELD_M, south), (max(east) + FIELD_M, top), (west, top)]
        yield _area(place, f"D-{len(around) + 2}", FIELDS, corners)


def _streets(place: Place, devices: Sequence[SimulatedDevice]) -> Iterator[dict[str, Any]]:
    ring = _arc(MIDDLE_M, 0, 360)
    yield _feature("S-1", RING_ROAD, "LineString", _degrees(place, [*ring, ring[0]]))
    lamps = [device for device in devices if device.kind == "light"]
    for i, (_, row) in enumerate(groupby(lamps, key=lambda lamp: lamp.parent)):
        points = [_around(place, lamp) for lamp in row]
        quarter = place.quarters[i % len(place.quarters)]
        turn = f" {i // len(place.quarters) + 1}" if i >= len(place.quarters) else ""
        names = {language: said.format(quarter[language]) + turn for language, said in STREET.items()}
        yield _feature(f"S-{i + 2}", names, "LineString", _degrees(place, _through(points)))


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
