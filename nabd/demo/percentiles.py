"""Percentiles and medians, rounded for printing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np


def percentiles(values: Sequence[float], of: Sequence[float] = (50, 99)) -> dict[str, float | None]:
    """Return {"p50": …, "p99": …} rounded to a tenth; None for each where there are no values."""
    if not len(values):
        return {f"p{p:g}": None for p in of}
    return {f"p{p:g}": round(float(v), 1) for p, v in zip(of, np.percentile(values, of), strict=True)}


def medians(runs: Sequence[Mapping[str, float | None]]) -> dict[str, float]:
    """Return the median of each figure over several runs; one that no run has is left out."""
    found: dict[str, float] = {}
    for name in runs[0] if runs else ():
        known = [value for run in runs if (value := run[name]) is not None]
        if known:
            found[name] = round(median(known), 2)
    return found
