"""Which points of a line show its shape: largest triangle, three buckets. Pure.

Sveinn Steinarsson, Downsampling Time Series for Visual Representation, University of Iceland 2013. Every
point that is kept is one of the line's own; peaks stay, since they make large triangles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""The first, the last, and one between them."""


def largest_triangles(at: NDArray[Any], value: NDArray[Any], points: int) -> NDArray[np.intp]:
    """Return which of n points to keep, in their order: all of them, or as many as asked for.

    Args:
        at: instants in order, (n,).
        value: (n,); no NaN.
        points: three at least.
    """
    n = len(at)
    if n <= points:
        return np.arange(n)
    # Between the first and the last, buckets of as many points each.
    edges = 1 + (np.arange(points - 1) * (n - 2)) // (points - 2)
    x, y = (at - at[0]).astype(np.float64), value.astype(np.float64)
    kept = np.zeros(points, dtype=np.intp)
    kept[-1] = n - 1
    for bucket in range(points - 2):
        first, after = edges[bucket], edges[bucket + 1]
        until = edges[bucket + 2] if bucket + 2 < len(edges) else n
        ahead_x, ahead_y = x[after:until].mean(), y[after:until].mean()
        before = kept[bucket]
        area = np.abs(
            (x[before] - ahead_x) * (y[first:after] - y[before])
            - (x[before] - x[first:after]) * (ahead_y - y[before])
        )
        kept[bucket + 1] = first + int(np.argmax(area))
    return kept
