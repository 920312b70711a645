"""What lies on the curves of devices: straight lines between their points, level beyond the ends.

Pure. Curves are text, see devices.curves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.curves import parse_curve

Floats = NDArray[np.float64]


def interpolate(x: Floats, texts: NDArray[np.object_]) -> Floats:
    """Return each row's y on its own curve; NaN where it has none."""
    result = np.full(len(x), np.nan)
    for text in set(texts.tolist()):
        points = parse_curve(text) if text is not None else None
        if points is not None:
            mine = texts == text
            result[mine] = np.interp(x[mine], *points)
    return result
