"""Which measurements are no longer refreshed although their device speaks.

Pure. Must not know the database or when a sweep looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.definition.families import NotRefreshed

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SPEAKS_INTERVALS = 2.0
"""A device that is silent has another alert: something must have come within the last two intervals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGoodValues:
    """The last good values of n devices, (n,) each, microseconds: when observed, and when received."""

    observed_at: Ints
    received_at: Ints


def patience_us(family: NotRefreshed, interval_us: Ints) -> Ints:
    """Return how long devices may be without a good value."""
    patience: Ints = np.maximum((interval_us * family.missing).astype(np.int64), family.at_least_us)
    return patience


def alert_from(last_good: Ints, first_bad: Ints, patience: Ints) -> Ints:
    """Return when devices had gone without a good value for too long, (n,); microseconds.

    Args:
        first_bad: when the first reading without a good value was observed. While nothing was read nothing
            was missing either: no alert is dated before it.
    """
    instants: Ints = np.maximum(last_good + patience, first_bad)
    return instants


def is_overdue(
    family: NotRefreshed, good: LastGoodValues, received_at: Ints, interval_us: Ints, at: int
) -> Bools:
    """Tell which devices have gone without a good value for too long, (n,) each; microseconds.

    Args:
        good: the last good value of each.
        received_at, interval_us: of the newest reading, and how soon after it another was expected.
    """
    speaks = received_at + (interval_us * SPEAKS_INTERVALS).astype(np.int64) > at
    overdue: Bools = speaks & (due_at(family, good, interval_us) <= at)
    return overdue


def due_at(family: NotRefreshed, good: LastGoodValues, interval_us: Ints) -> Ints:
    """Return from when on devices are overdue unless a good value comes, (n,); microseconds."""
    # A clock that is behind dates what has just come in hours ago.
    refreshed_at = np.maximum(good.observed_at, good.received_at)
    due: Ints = refreshed_at + patience_us(family, interval_us)
    return due
