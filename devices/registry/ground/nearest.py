"""In or at which feature points lie: all points and features at once, through a tree. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from devices.registry.ground.geometry import shape_of
from devices.registry.ground.metres import Shapes, degrees_to_metres, in_metres

NONE = -1


def nearest(
    geometries: Sequence[Mapping[str, Any]], lat: ArrayLike, lon: ArrayLike, within_m: float
) -> NDArray[np.int64]:
    """Return for each point the position of its feature, NONE where none is near.

    Args:
        geometries: checked geometries; of several that are equally near, or hold the point, the first counts.
        lat, lon: degrees, of one length.
        within_m: how far from a feature a point may lie, metres.
    """
    lats = np.asarray(lat, dtype=np.float64)
    found = np.full(len(lats), NONE, dtype=np.int64)
    if not geometries or not len(lats):
        return found
    middle = float(np.median(lats))
    shapes = in_metres([shape_of(one) for one in geometries], middle)
    degrees = np.column_stack([np.asarray(lon, dtype=np.float64), lats])
    points: Shapes = np.asarray(shapely.points(degrees_to_metres(degrees, middle)), dtype=np.object_)
    feature, point = shapely.STRtree(points).query(shapes, predicate="dwithin", distance=within_m)
    away = shapely.distance(shapes[feature], points[point])
    order = np.lexsort((feature, away, point))
    point, feature = point[order], feature[order]
    is_first = np.ones(len(point), dtype=bool)
    is_first[1:] = point[1:] != point[:-1]
    found[point[is_first]] = feature[is_first]
    return found
