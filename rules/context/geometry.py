"""Distances on the Earth and points in polygons, over whole columns.

Pure. Coordinates are degrees; polygons are GeoJSON (longitude first).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from devices.polygons import PolygonError, to_geometry

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius, IUGG 1980."""

Floats = NDArray[np.float64]


def distance_m(lat1: Floats, lon1: Floats, lat2: Floats, lon2: Floats) -> Floats:
    """Return great-circle distances in metres (haversine); NaN where a coordinate is NaN."""
    a, b = np.radians(lat1), np.radians(lat2)
    half = (
        np.sin((b - a) / 2) ** 2
        + np.cos(a) * np.cos(b) * np.sin(np.radians(np.subtract(lon2, lon1)) / 2) ** 2
    )
    metres: Floats = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))
    return metres


class Polygons:
    """The polygons of n devices, one each or none."""

    def __init__(self, values: Sequence[object]) -> None:
        """Prepare one GeoJSON value per device; None, and what is no polygon, count as none."""
        self._geometries = np.empty(len(values), dtype=np.object_)
        self._geometries[:] = [_geometry(value) for value in values]
        shapely.prepare(self._geometries)

    def outside(self, owners: NDArray[np.intp], lat: Floats, lon: Floats) -> Floats:
        """Tell which points lie outside their owner's polygon, shape (n,).

        1.0 outside, 0.0 inside or on an edge, NaN where the owner has no polygon or the point no coordinates.
        A hole is outside.
        """
        polygons = self._geometries[owners]
        inside = shapely.intersects_xy(polygons, lon, lat)
        unknown = shapely.is_missing(polygons) | np.isnan(lat) | np.isnan(lon)
        return np.where(unknown, np.nan, np.where(inside, 0.0, 1.0))


def _geometry(value: object) -> shapely.Geometry | None:
    if value is None:
        return None
    try:
        geometry = to_geometry(value)
    except PolygonError:
        return None
    return geometry if np.isfinite(shapely.get_coordinates(geometry)).all() else None
