"""Which districts lie over each other: a place belongs to one district. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from devices.registry.ground.geometry import shape_of
from devices.registry.ground.metres import in_metres

SLIVER_M = 20.0
"""Borders are drawn by hand: an overlap that is nowhere wider than this is none."""


def overlapping(geometries: Sequence[Mapping[str, Any]]) -> list[tuple[int, int, float]]:
    """Return which of some checked areas overlap: two positions, the lesser first, and by how many m²."""
    shapes = in_metres([shape_of(one) for one in geometries])
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    common = shapely.intersection(shapes[first], shapes[second])
    wide = shapely.area(common) > 0
    wide[wide] = ~shapely.is_empty(shapely.buffer(common[wide], -SLIVER_M / 2))
    found = zip(first[wide], second[wide], shapely.area(common[wide]), strict=True)
    return sorted((int(a), int(b), float(np.round(m2))) for a, b, m2 in found)
