"""Where a town by the sea ends: coast, mole and beach, in metres east and north of its middle. Pure."""

from __future__ import annotations

import math

import shapely
from shapely.geometry.base import BaseGeometry

from firmware_sim.physics.flight import Point

AWAY_M = 1130.0
"""How far the coast is from the middle; bins and lamps stand nearer."""
WAVES = ((50.0, 310.0, 0.0), (35.0, 130.0, 2.0), (260.0, 2100.0, -1.57))
"""Bays: height, length and phase of each, in metres and radians."""
STEP_M = 25.0
SEA_M = 9000.0
"""How far the sea is drawn."""
MOLE = ((-620.0, -30.0), (-600.0, 190.0), (-480.0, 270.0), (-250.0, 300.0))
"""The mole of the harbour: along the coast, and out from it."""
MOLE_WIDE_M = 14.0
BEACH = (330.0, 900.0)
"""Between which places along the coast there is sand."""
BEACH_WIDE_M = 45.0


def sea(bearing: float) -> BaseGeometry:
    """Return the sea of a town that has it in this direction, in degrees; a mole stands in it."""
    shore = [_turned(bearing, along, _away(along)) for along in _places(-SEA_M, SEA_M)]
    far = [_turned(bearing, SEA_M, SEA_M), _turned(bearing, -SEA_M, SEA_M)]
    mole = shapely.LineString([_turned(bearing, along, _away(along) + out) for along, out in MOLE])
    return shapely.Polygon([*shore, *far]).difference(mole.buffer(MOLE_WIDE_M, quad_segs=2))


def beach(bearing: float) -> shapely.Polygon:
    """Return the sand between the sea and the town."""
    places = _places(*BEACH)
    water = [_turned(bearing, along, _away(along)) for along in places]
    inland = [_turned(bearing, along, _away(along) - BEACH_WIDE_M * _swell(along)) for along in places]
    return shapely.Polygon([*water, *reversed(inland)])


def along_the_coast(bearing: float, reach_m: float, inland_m: float) -> list[Point]:
    """Return a way beside the sea, so far to both sides of the town and so far from the water."""
    return [_turned(bearing, along, _away(along) - inland_m) for along in _places(-reach_m, reach_m)]


def _places(begin: float, end: float) -> list[float]:
    count = round((end - begin) / STEP_M)
    return [begin + (end - begin) * i / count for i in range(count + 1)]


def _swell(along: float) -> float:
    return math.sin(math.pi * (along - BEACH[0]) / (BEACH[1] - BEACH[0]))


def _away(along: float) -> float:
    bays = (high * (math.sin(along / long + phase) - math.sin(phase)) for high, long, phase in WAVES)
    return AWAY_M + sum(bays)


def _turned(bearing: float, along: float, out: float) -> Point:
    """Return the point that lies `out` in this direction and `along` to its right."""
    east, north = math.sin(math.radians(bearing)), math.cos(math.radians(bearing))
    return out * east + along * north, out * north - along * east
