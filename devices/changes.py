"""How much a value has changed: around a circle, or of a counter that may have been reset. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import Measurement

Floats = NDArray[np.float64]


def wrapped(difference: Floats, turn: float) -> Floats:
    """Return differences between places of a circle as the shorter way, from -turn/2 up to turn/2."""
    result: Floats = difference - turn * np.floor(difference / turn + 0.5)
    return result


def inside(measurement: Measurement, places: Floats) -> Floats:
    """Return places of a circular measurement from `low` on, below `high`; other values as they are."""
    if measurement.turn is None or measurement.low is None:
        return places
    result: Floats = measurement.low + np.mod(places - measurement.low, measurement.turn)
    return result


def grown(before: Floats, now: Floats, elapsed_s: Floats, most_per_h: float | None) -> Floats:
    """Return how much counters grew: one that fell has been reset, or has rolled over, and counts from 0.

    Args:
        most_per_h: what a counter can grow in an hour; after a fall, more than that is unknown (NaN).
    """
    fell = now < before
    if most_per_h is None:
        return np.where(fell, now, now - before)
    possible = now <= most_per_h * (elapsed_s / 3600 + 1)
    return np.where(fell, np.where(possible, now, np.nan), now - before)


def change(measurement: Measurement | None, before: Floats, now: Floats, elapsed_s: Floats) -> Floats:
    """Return how much a measurement has changed, (n,); None for a number that is no measurement."""
    if measurement is not None and measurement.turn is not None:
        return wrapped(now - before, measurement.turn)
    if measurement is not None and measurement.counter:
        return grown(before, now, elapsed_s, measurement.most_per_h)
    return now - before
