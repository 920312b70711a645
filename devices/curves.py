"""Curves of a device given as points: what it should draw at this dimming, and the like.

Pure. Points are text, "20:0.70 60:0.90 100:0.96", x rising. Must not know what lies between them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@lru_cache(maxsize=1024)
def parse_curve(text: str) -> tuple[Floats, Floats] | None:
    """Return the points of a curve, None when the text is none."""
    try:
        points = np.array([[float(n) for n in point.split(":")] for point in text.split()], dtype=np.float64)
    except ValueError:
        return None
    if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
        return None
    return (points[:, 0], points[:, 1]) if (np.diff(points[:, 0]) > 0).all() else None
