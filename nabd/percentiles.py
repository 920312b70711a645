"""Percentiles as reports print them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def percentiles(values: Sequence[float], of: Sequence[float] = (50, 99)) -> dict[str, float | None]:
    """Return {"p50": …, "p99": …} rounded to a tenth; None for each where there are no values."""
    if not len(values):
        return {f"p{p:g}": None for p in of}
    return {f"p{p:g}": round(float(v), 1) for p, v in zip(of, np.percentile(values, of), strict=True)}
