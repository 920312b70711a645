"""Flight plan and movement of an aircraft over flat ground, in metres east and north of its home.

Pure geometry; knows no battery, tank or sensor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

Point = tuple[float, float]
"""Metres east and north of home."""

_M_PER_DEG = 111_320.0
_ACCELERATION = 2.5
"""Metres per second squared; comfortable for a loaded multirotor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A rectangular field to treat: corner nearest the origin, and its size, in metres."""

    name: str
    east: float
    north: float
    width: float
    depth: float

    def rows(self, swath: float) -> list[Point]:
        """Return the turning points of parallel rows, back and forth."""
        points: list[Point] = []
        count = max(1, int(self.depth / swath))
        for row in range(count):
            y = self.north + (row + 0.5) * swath
            ends = [(self.east, y), (self.east + self.width, y)]
            points += ends if row % 2 == 0 else ends[::-1]
        return points

    def outside_m(self, at: Point) -> float:
        """Return how many metres a position lies outside the field, 0 within it."""
        east = max(self.east - at[0], at[0] - self.east - self.width, 0.0)
        return math.hypot(east, max(self.north - at[1], at[1] - self.north - self.depth, 0.0))

    @property
    def edges(self) -> FlightFence:
        """The field as a rectangle around home."""
        return FlightFence(
            west=self.east, south=self.north, east=self.east + self.width, north=self.north + self.depth
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FlightFence:
    """The rectangle an aircraft may not leave, in metres around home."""

    west: float
    south: float
    east: float
    north: float

    def contains(self, at: Point) -> bool:
        """Tell whether a position is allowed."""
        return self.west <= at[0] <= self.east and self.south <= at[1] <= self.north


def fence_around(zone: Zone, margin: float) -> FlightFence:
    """Return the fence that holds home, the zone and a margin."""
    return FlightFence(
        west=min(0.0, zone.east) - margin,
        south=min(0.0, zone.north) - margin,
        east=max(0.0, zone.east + zone.width) + margin,
        north=max(0.0, zone.north + zone.depth) + margin,
    )


def position(home: Point, at: Point) -> Point:
    """Return latitude and longitude of metres east and north of `home` (lat, lon)."""
    lat = home[0] + at[1] / _M_PER_DEG
    return lat, home[1] + at[0] / (_M_PER_DEG * math.cos(math.radians(home[0])))


def polygon(home: Point, fence: FlightFence) -> dict[str, object]:
    """Return a fence as a GeoJSON Polygon, closed, longitude first."""
    corners = [(fence.west, fence.south), (fence.east, fence.south), (fence.east, fence.north)]
    corners += [(fence.west, fence.north), (fence.west, fence.south)]
    ring = [[round(lon, 7), round(lat, 7)] for lat, lon in (position(home, c) for c in corners)]
    return {"type": "Polygon", "coordinates": [ring]}


def distance(a: Point, b: Point) -> float:
    """Return metres between two points."""
    return math.hypot(a[0] - b[0], a[1] - b[1])


@dataclass(slots=True, kw_only=True)
class Motion:
    """Where an aircraft is and how fast it moves."""

    at: Point = (0.0, 0.0)
    altitude: float = 0.0
    speed: float = 0.0
    heading_deg: float = 0.0

    def fly_to(self, target: Point, top_speed: float, dt: float) -> bool:
        """Move towards `target`, slowing down before it; True once there."""
        gap = distance(self.at, target)
        wanted = min(top_speed, math.sqrt(2 * _ACCELERATION * gap) * 0.8 + 0.5)
        self.speed += max(-_ACCELERATION * dt, min(_ACCELERATION * dt, wanted - self.speed))
        step = self.speed * dt
        if step >= gap:
            self.at = target
            return True
        east, north = (target[0] - self.at[0]) / gap, (target[1] - self.at[1]) / gap
        self.heading_deg = math.degrees(math.atan2(east, north)) % 360.0
        self.at = (self.at[0] + east * step, self.at[1] + north * step)
        return False

    def hover(self, dt: float) -> None:
        """Slow down where it is."""
        self.speed = max(0.0, self.speed - _ACCELERATION * dt)

    def climb_to(self, altitude: float, dt: float) -> bool:
        """Climb or sink at 1.5 m/s; True once there."""
        gap = altitude - self.altitude
        self.altitude += max(-1.5 * dt, min(1.5 * dt, gap))
        return abs(gap) <= 1.5 * dt
