"""Points in the polygons of devices, over whole columns. Pure; polygons are GeoJSON (longitude first)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from devices.polygons import PolygonError, to_geometry

Floats = NDArray[np.float64]


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
