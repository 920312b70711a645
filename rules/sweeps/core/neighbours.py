"""Who is far from what is usual around it, since when, and whether for long enough.

Pure. Must not know the database or when a sweep looks. Medians are `neighbourhood`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from devices.changes import inside, wrapped
from devices.kinds.kind import Measurement
from rules.definition.families import Neighbours
from rules.sweeps.core import neighbourhood
from rules.sweeps.core.instants import NEVER
from rules.sweeps.core.neighbourhood import Neighbourhoods, NeighbourStatistics

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

STILL_FAR = 0.5
"""An alert ends when the value is nearer than this part of the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourValues:
    """Newest good values of n devices, (n,) each; instants in microseconds.

    since: from when it has been far already, else NEVER. is_open: it has an alert.
    """

    value: Floats
    observed_at: Ints
    since: Ints
    is_open: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourVerdict:
    """What is to be done, (n,) each. since: what to remember, NEVER for nothing. begins, ends: of alerts."""

    around: NeighbourStatistics
    limit: Floats
    since: Ints
    begins: Bools
    ends: Bools


def judge(
    family: Neighbours, measurement: Measurement, newest: NeighbourValues, near: Neighbourhoods
) -> NeighbourVerdict:
    """Compare every device with its neighbours; too few of them, and it is compared with nobody.

    A value that is old beside theirs is not compared either: what all of them have in common has moved since.
    Who is compared with nobody stays what it was.

    Args:
        measurement: what is compared.
        near: who is whose neighbour, see `neighbours_of`.
    """
    around = near.statistics(newest.value, measurement.turn)
    around = replace(around, median=inside(measurement, around.median))
    observed_around = near.median(newest.observed_at.astype(np.float64))
    fresh = ~(newest.observed_at + family.lasting_us < observed_around)
    limit = np.maximum(family.off_by * around.spread, family.minimum)
    comparable = fresh & (around.neighbours >= family.at_least) & np.isfinite(limit)
    deviation = _deviation(newest.value - around.median, measurement.turn, limit)
    far = comparable & (deviation >= 1)
    # The median may waver: whoever is far stays suspect until clearly back.
    remembered = np.where((deviation >= STILL_FAR) | ~comparable, newest.since, NEVER)
    since = np.where(far & (remembered == NEVER), newest.observed_at, remembered)
    lasted = newest.observed_at - family.lasting_us >= since
    return NeighbourVerdict(
        around=around,
        limit=limit,
        since=since,
        begins=far & lasted & ~newest.is_open,
        ends=newest.is_open & comparable & (deviation < STILL_FAR),
    )


def neighbours_of(family: Neighbours, parent: Ints, lat: Floats, lon: Floats) -> Neighbourhoods:
    """Return who is whose neighbour, as the rule has it.

    Args:
        parent: (n,) whoever hangs on the same is near, negative for none. lat, lon: (n,) degrees.
    """
    if family.within_m is None:
        return neighbourhood.by_group(parent)
    return neighbourhood.by_distance(lat, lon, family.within_m)


def _deviation(difference: Floats, turn: float | None, limit: Floats) -> Floats:
    """Return how far each is from its neighbours' median: 1 is the limit."""
    distance = np.abs(difference if turn is None else wrapped(difference, turn))
    deviation: Floats = np.where(distance > 0, distance / np.where(limit > 0, limit, 1e-9), 0.0)
    return deviation
