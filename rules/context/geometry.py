"""Distances on the Earth and points in polygons, over whole columns.

Pure. Coordinates are degrees; polygons are GeoJSON (longitude first).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, IUGG 1980."""

Floats = NDArray[np.float64]
Edges = NDArray[np.float64]
"""(n, 4): longitude and latitude of both ends."""


def distance_m(lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Return great-circle distances in metres (haversine); NaN where a coordinate is NaN."""
    a, b = np.radians(lat1), np.radians(lat2)
    half = (
        np.sin((b - a) / 2) ** 2
        + np.cos(a) * np.cos(b) * np.sin(np.radians(np.subtract(lon2, lon1)) / 2) ** 2
    )
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return metres


def edges(geometry: object) -> Edges | None:
    """Return the edges of a GeoJSON Polygon or MultiPolygon, holes included; None when it is neither."""
    try:
        rings = _rings(geometry)
        points = [np.array([point[:2] for point in ring], dtype=np.float64) for ring in rings]
        pairs = [np.hstack([ring, np.roll(ring, -1, axis=0)]) for ring in points]
        joined = np.concatenate(pairs)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None
    return joined if joined.shape[1] == 4 and np.isfinite(joined).all() else None


def _rings(geometry: Any) -> list[Any]:
    match geometry["type"]:
        case "Polygon":
            return list(geometry["coordinates"])
        case "MultiPolygon":
            return [ring for polygon in geometry["coordinates"] for ring in polygon]
        case other:
            raise ValueError(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygons:
    """Polygons of many devices, all edges in one array.

    first, count: (n,) which edges are whose; count 0 means no polygon.
    """

    edges: Edges
    first: NDArray[np.int64]
    count: NDArray[np.int64]

    @classmethod
    def of(cls, geometries: Sequence[object]) -> Polygons:
        """Build from one geometry per device, None or nonsense meaning none."""
        found = [edges(g) if g is not None else None for g in geometries]
        count = np.array([0 if e is None else len(e) for e in found], dtype=np.int64)
        first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
        whole = [e for e in found if e is not None]
        return cls(edges=np.concatenate(whole) if whole else np.empty((0, 4)), first=first, count=count)

    def outside(self, owners: NDArray[np.intp], lat: Floats, lon: Floats) -> Floats:
        """Tell which points lie outside their owner's polygon, shape (n,).

        1.0 outside, 0.0 inside, NaN where the owner has no polygon or the point no coordinates.
        Ray casting, even-odd: a hole is outside.
        """
        count = self.count[owners]
        point = np.repeat(np.arange(len(owners)), count)
        start = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else count
        edge = self.edges[np.arange(len(point)) - start[point] + self.first[owners][point]]
        x1, y1, x2, y2 = edge.T
        y, x = lat[point], lon[point]
        spans = (y1 > y) != (y2 > y)
        height = np.where(spans, y2 - y1, 1.0)
        crosses = spans & (x < (x2 - x1) * (y - y1) / height + x1)
        crossings = np.bincount(point[crosses], minlength=len(owners))
        unknown = (count == 0) | np.isnan(lat) | np.isnan(lon)
        return np.where(unknown, np.nan, (crossings % 2 == 0).astype(np.float64))
