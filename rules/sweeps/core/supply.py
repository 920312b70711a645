"""Until when nothing can be expected of devices whose circuit has no power by plan.

Pure. Must not know the database or when a sweep looks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from devices.supply import Supply
from rules.context.local_time import LocalTimes, PlaceColumns

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

DARK_DEG = -6.0
"""Photocells of cabinets switch between 0 and -6 degrees: below that there is power by night."""
MARGIN_US = 30 * 60_000_000
"""How long after the power has come back devices may take to say something."""
_STEP_US = 15 * 60_000_000
_STEPS = 12
"""So far back the beginning is looked for: no patience with a lamp that is lit is longer."""


def resting_until(supplies: Sequence[Supply], places: PlaceColumns, at: int) -> Ints:
    """Return until when devices are left alone, (n,) microseconds: just after `at` while there is no power.

    With power it is the margin after that came back, 0 where that was long ago. Where night cannot be told,
    for want of coordinates, there always is power.

    Args:
        supplies, places: (n,) of each device.
    """
    back = np.arange(_STEPS, -1, -1)
    instants = at - back * _STEP_US
    fed = _has_power(supplies, places, instants)
    # The latest moment without power counts: a step later it may have come back.
    latest = np.where(fed, -1, np.arange(len(back))[:, None]).max(axis=0)
    back_at = instants[np.maximum(latest, 0)] + _STEP_US + MARGIN_US
    return np.where(latest < 0, 0, np.where(fed[-1], back_at, at + 1))


def _has_power(supplies: Sequence[Supply], places: PlaceColumns, instants: Ints) -> Bools:
    """Tell at which instants, (m,), each device has power, (m, n)."""
    m, n = len(instants), len(supplies)
    times = LocalTimes(np.repeat(instants, n), places, np.tile(np.arange(n), m))
    by_night = ~(times.sun_deg() >= DARK_DEG)
    start = np.tile([-1 if s.from_min is None else s.from_min for s in supplies], m)
    end = np.tile([-1 if s.to_min is None else s.to_min for s in supplies], m)
    minute = times.local_min()
    within = np.where(start <= end, (minute >= start) & (minute < end), (minute >= start) | (minute < end))
    fed: Bools = np.where(start < 0, by_night, within).reshape(m, n)
    return fed
