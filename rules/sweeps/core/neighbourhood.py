"""Who stands near whom, and what is usual there: medians, so that one broken sensor is no norm.

Pure. Must not know the database.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, for values that scatter normally."""
M_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourStatistics:
    """What the neighbours of n devices have, (n,) each; NaN median where nobody is near.

    spread: robust standard deviation. neighbours: how many others the median rests on.
    """

    median: Floats
    spread: Floats
    neighbours: Ints


def by_group(group: Ints, value: Floats) -> NeighbourStatistics:
    """Return what is usual within each group.

    Args:
        group: (n,) any numbers; a negative one is nobody's group.
        value: (n,) without NaN.
    """
    found = _statistics(group, value, group)
    return NeighbourStatistics(
        median=np.where(group < 0, np.nan, found.median),
        spread=found.spread,
        neighbours=np.where(group < 0, 0, found.neighbours),
    )


def by_distance(lat: Floats, lon: Floats, value: Floats, within_m: float) -> NeighbourStatistics:
    """Return what is usual around each device: in its square of a grid and the eight squares around it.

    Args:
        lat, lon: (n,) degrees, NaN where unknown: such a device has no neighbours.
        within_m: side of a square. Whoever is nearer is a neighbour, some up to 2.8 times as far are.
    """
    placed = np.isfinite(lat) & np.isfinite(lon)
    row = np.floor(np.where(placed, lat, 0.0) * M_PER_DEGREE / within_m).astype(np.int64)
    # Squares of one row share one width, so that rows fit together wherever a device stands in them.
    width = within_m / (M_PER_DEGREE * np.maximum(np.cos(np.radians(row * within_m / M_PER_DEGREE)), 0.01))
    keys, owners = [], []
    for dy in (-1, 0, 1):
        # The column in the neighbouring row is counted by that row's own width.
        there = row + dy
        wide = within_m / (
            M_PER_DEGREE * np.maximum(np.cos(np.radians(there * within_m / M_PER_DEGREE)), 0.01)
        )
        column = np.floor(np.where(placed, lon, 0.0) / wide).astype(np.int64)
        for dx in (-1, 0, 1):
            keys.append(_key(there, column + dx))
            owners.append(np.flatnonzero(placed))
    own = _key(row, np.floor(np.where(placed, lon, 0.0) / width).astype(np.int64))
    spread_keys = np.concatenate([k[placed] for k in keys])
    found = _statistics(spread_keys, value[np.concatenate(owners)], own)
    return NeighbourStatistics(
        median=np.where(placed, found.median, np.nan),
        spread=found.spread,
        neighbours=np.where(placed, found.neighbours, 0),
    )


def _key(row: Ints, column: Ints) -> Ints:
    return row * (1 << 32) + column


def _statistics(group: Ints, value: Floats, asked: Ints) -> NeighbourStatistics:
    """Return median, spread and number of others of the groups that are asked for, (m,)."""
    names, member = np.unique(group, return_inverse=True)
    median = _medians(member, value, len(names))
    spread = TO_SIGMA * _medians(member, np.abs(value - median[member]), len(names))
    size = np.bincount(member, minlength=len(names))
    at = np.clip(np.searchsorted(names, asked), 0, max(len(names) - 1, 0))
    known = names[at] == asked if len(names) else np.zeros(len(asked), dtype=bool)
    if not len(names):
        nothing = np.full(len(asked), np.nan)
        return NeighbourStatistics(
            median=nothing, spread=nothing, neighbours=np.zeros(len(asked), dtype=np.int64)
        )
    return NeighbourStatistics(
        median=np.where(known, median[at], np.nan),
        spread=np.where(known, spread[at], np.nan),
        neighbours=np.where(known, size[at] - 1, 0),
    )


def _medians(member: Ints, value: Floats, groups: int) -> Floats:
    """Return the median of each group, (groups,); every group has a member."""
    order = np.lexsort((value, member))
    ordered = value[order]
    size = np.bincount(member, minlength=groups)
    start = np.cumsum(size) - size
    middle: Floats = (ordered[start + (size - 1) // 2] + ordered[start + size // 2]) / 2
    return middle
