"""How soon a device is expected to report again: its own interval, or what its kind declares for its state.

Pure. Must not know where readings come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import INTERVAL, Kind

Floats = NDArray[np.float64]
Says = Callable[[str, Sequence[str]], NDArray[np.bool_]]
"""Tells which rows of a text measurement are one of some texts."""


def expected_interval_s(
    kind: Kind, values: Mapping[str, NDArray[Any]], own: Floats, says: Says | None = None
) -> Floats:
    """Return how many seconds may pass until the next reading, (n,).

    Args:
        values: measurements by name, (n,) each, suspect ones too; NaN or None where one is absent.
        own: (n,) the device's own interval in seconds, NaN where it has none; it wins.
        says: for callers who compare texts cheaper than by `values`.
    """
    seconds = np.full(len(own), kind.reporting[-1].every_s)
    # The first entry that applies is written last.
    for reporting in reversed(kind.reporting[:-1]):
        name = reporting.measurement
        assert name is not None
        if reporting.at_least is not None:
            applies = values[name] >= reporting.at_least
        elif says is not None:
            applies = says(name, reporting.one_of)
        else:
            applies = np.isin(values[name], reporting.one_of)
        seconds[applies] = reporting.every_s
    return np.where(own > 0, own, seconds)


def own_interval_s(attributes: Mapping[str, Any]) -> float:
    """Return the interval that a device's attributes name, in seconds; NaN where they name none."""
    own = attributes.get(INTERVAL)
    return float(own) if isinstance(own, int | float) and own > 0 else math.nan
