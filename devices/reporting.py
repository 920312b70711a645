"""How soon a device is expected to report again: its own interval, or what its kind declares for its state.

Pure. Must not know where readings come from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import INTERVAL, Kind, Learned

Floats = NDArray[np.float64]
Says = Callable[[str, Sequence[str]], NDArray[np.bool_]]
"""Tells which rows of a text measurement are one of some texts."""


Fetch = Callable[[str], Floats]
"""Returns a numeric attribute of each row's device, (n,), NaN where it has none."""


def expected_interval_s(
    kind: Kind,
    values: Mapping[str, NDArray[Any]],
    own: Floats,
    says: Says | None = None,
    attribute: Fetch | None = None,
) -> Floats:
    """Return how many seconds may pass until the next reading, (n,).

    Args:
        values: measurements by name, (n,) each, suspect ones too; NaN or None where one is absent.
        own: (n,) the device's own interval in seconds, NaN where it has none; it wins.
        says: for callers who compare texts cheaper than by `values`.
        attribute: where some states are counted from an attribute; without it from 0.
    """
    every_s = np.array([r.every_s for r in kind.reporting])
    seconds = every_s[_entries(kind, values, len(own), says, attribute)]
    return np.where(own > 0, own, seconds)


def states(
    kind: Kind, values: Mapping[str, NDArray[Any]], n: int, attribute: Fetch | None = None
) -> NDArray[np.object_]:
    """Return in which of its kind's reporting states each of n devices is by its newest values, (n,)."""
    named = np.array([r.state for r in kind.reporting], dtype=object)
    found: NDArray[np.object_] = named[_entries(kind, values, n, None, attribute)]
    return found


def _entries(
    kind: Kind, values: Mapping[str, NDArray[Any]], n: int, says: Says | None, attribute: Fetch | None
) -> NDArray[np.intp]:
    """Return which entry of the kind's reporting applies to each row."""
    found = np.full(n, len(kind.reporting) - 1, dtype=np.intp)
    # The first entry that applies is written last.
    for number in reversed(range(len(kind.reporting) - 1)):
        reporting = kind.reporting[number]
        name = reporting.measurement
        assert name is not None
        if reporting.at_least is not None:
            base: Floats | float = 0.0
            if reporting.above is not None and attribute is not None:
                base = np.nan_to_num(attribute(reporting.above))
            applies = values[name] - base >= reporting.at_least
        elif says is not None:
            applies = says(name, reporting.one_of)
        else:
            applies = np.isin(values[name], reporting.one_of)
        found[applies] = number
    return found


def learned_of(kind: Kind) -> dict[str, Learned]:
    """Return the attributes that reporting states are counted from, and that can be learned, by name."""
    counted = {r.above for r in kind.reporting if r.above is not None}
    return {a.name: a.learned for a in kind.attributes if a.name in counted and a.learned is not None}


def own_interval_s(attributes: Mapping[str, Any]) -> float:
    """Return the interval that a device's attributes name, in seconds; NaN where they name none."""
    own = attributes.get(INTERVAL)
    return float(own) if isinstance(own, int | float) and own > 0 else math.nan
