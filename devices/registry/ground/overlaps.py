"""Which districts lie over each other: a place belongs to one district. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from devices.registry.ground.geometry import shape_of
from devices.registry.ground.metres import in_metres

SLIVER_M = 20.0
"""Borders are drawn by hand: an overlap that is nowhere wider than this is none."""


MOST_OVERLAPS = 100
"""Nobody reads more, and where everything lies over everything there are as many as pairs."""
_SHAPES_AT_ONCE = 64
_PAIRS_AT_ONCE = 1_000
_Pairs = npt.NDArray[np.intp]


def overlapping(
    geometries: Sequence[Mapping[str, Any]], settled: int = 0, most: int = MOST_OVERLAPS
) -> list[tuple[int, int, float]]:
    """Return which of some checked areas overlap: two positions, the lesser first, and by how many m².

    Args:
        geometries: GeoJSON in degrees.
        settled: so many of the first are not compared with each other.
        most: no more are looked for.
    """
    shapes = in_metres([shape_of(one) for one in geometries])
    found: list[tuple[int, int, float]] = []
    for pairs in _candidates(shapes, settled):
        found += _wide(shapes, pairs)
        if len(found) >= most:
            return found[:most]
    return found


def _candidates(shapes: npt.NDArray[Any], settled: int) -> Iterator[_Pairs]:
    """Yield pairs that may overlap by more than a sliver, some at a time, in order; shape: (2, pairs)."""
    # Two areas share a disc when both, made narrower by its radius, share a point. A little less, since arcs
    # are drawn by chords. So neighbours, which all touch, are not pairs.
    narrower = shapely.buffer(shapes, -0.95 * SLIVER_M / 2)
    tree = shapely.STRtree(narrower)
    for start in range(0, len(shapes), _SHAPES_AT_ONCE):
        pairs = tree.query(narrower[start : start + _SHAPES_AT_ONCE], predicate="intersects")
        pairs[0] += start
        pairs = pairs[:, (pairs[0] < pairs[1]) & (pairs[1] >= settled)]
        pairs = pairs[:, np.lexsort(pairs[::-1])]
        for part in range(0, pairs.shape[1], _PAIRS_AT_ONCE):
            yield pairs[:, part : part + _PAIRS_AT_ONCE]


def _wide(shapes: npt.NDArray[Any], pairs: _Pairs) -> list[tuple[int, int, float]]:
    first, second = pairs
    common = shapely.intersection(shapes[first], shapes[second])
    wide = ~shapely.is_empty(shapely.buffer(common, -SLIVER_M / 2))
    found = zip(first[wide], second[wide], shapely.area(common[wide]), strict=True)
    return [(int(a), int(b), float(np.round(m2))) for a, b, m2 in found]
