"""Who stands near whom, and what is usual there: medians, so that one broken sensor is no norm.

Pure. Must not know the database.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from devices.changes import wrapped

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TO_SIGMA = 1.4826
"""Median absolute deviation to standard deviation, for values that scatter normally."""
M_PER_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourStatistics:
    """What the neighbours of n devices have, (n,) each; NaN median where nobody is near.

    spread: robust standard deviation. neighbours: how many others the median rests on.
    """

    median: Floats
    spread: Floats
    neighbours: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbourhoods:
    """Which of n devices are near each other: m memberships in g neighbourhoods, each with a member.

    device, member: (m,) which device is in which neighbourhood. own: (n,) whose statistics each device is
    compared with, negative for none. size: (g,) members of each.
    """

    device: NDArray[np.intp]
    member: NDArray[np.intp]
    own: NDArray[np.intp]
    size: Ints

    def median(self, value: Floats) -> Floats:
        """Return the median around each device, (n,); NaN where nobody is near.

        Args:
            value: (n,) without NaN.
        """
        return self._around(self._medians(value[self.device]))

    def statistics(self, value: Floats, turn: float | None = None) -> NeighbourStatistics:
        """Return what the neighbours of each device have; see `median`.

        Args:
            turn: once around, where values are places of a circle.
        """
        member_value = value[self.device]
        if turn is not None:
            member_value = self._unrolled(member_value, turn)
        median = self._medians(member_value)
        spread = TO_SIGMA * self._medians(np.abs(member_value - median[self.member]))
        others = self.size[self.own] - 1 if len(self.size) else np.zeros(len(self.own), dtype=np.int64)
        return NeighbourStatistics(
            median=self._around(median),
            spread=self._around(spread),
            neighbours=np.where(self.own >= 0, others, 0),
        )

    def _unrolled(self, member_value: Floats, turn: float) -> Floats:
        """Return places of a circle as lengths, those of a neighbourhood cut open opposite to their mean."""
        angle = member_value * (2 * np.pi / turn)
        sine, cosine = (np.bincount(self.member, f(angle), len(self.size)) for f in (np.sin, np.cos))
        mean = (np.arctan2(sine, cosine) * (turn / (2 * np.pi)))[self.member]
        unrolled: Floats = mean + wrapped(member_value - mean, turn)
        return unrolled

    def _around(self, found: Floats) -> Floats:
        if not len(found):
            return np.full(len(self.own), np.nan)
        return np.where(self.own >= 0, found[self.own], np.nan)

    def _medians(self, member_value: Floats) -> Floats:
        """Return the median of each neighbourhood, (g,), given the value of each membership."""
        m = len(member_value)
        by_value = np.argsort(member_value)
        # One number that sorts by neighbourhood, then by value: faster than sorting twice.
        keys = np.sort(self.member[by_value] * m + np.arange(m))
        ordered = member_value[by_value][keys % max(m, 1)]
        start = np.cumsum(self.size) - self.size
        middle: Floats = (ordered[start + (self.size - 1) // 2] + ordered[start + self.size // 2]) / 2
        return middle


def by_group(group: Ints) -> Neighbourhoods:
    """Return the devices of each group as neighbours.

    Args:
        group: (n,) any numbers; a negative one is nobody's group.
    """
    return _neighbourhoods(group, np.arange(len(group)), group, group >= 0)


def by_distance(lat: Floats, lon: Floats, within_m: float) -> Neighbourhoods:
    """Return as neighbours who stands in a device's square of a grid and in the eight squares around it.

    Args:
        lat, lon: (n,) degrees, NaN where unknown: such a device has no neighbours.
        within_m: side of a square. Whoever is nearer is a neighbour, some up to 2.8 times as far are.
    """
    placed = np.isfinite(lat) & np.isfinite(lon)
    row = np.floor(np.where(placed, lat, 0.0) * M_PER_DEGREE / within_m).astype(np.int64)
    # Squares of one row share one width, so that rows fit together wherever a device stands in them.
    width = within_m / (M_PER_DEGREE * np.maximum(np.cos(np.radians(row * within_m / M_PER_DEGREE)), 0.01))
    keys = []
    for dy in (-1, 0, 1):
        # The column in the neighbouring row is counted by that row's own width.
        there = row + dy
        wide = within_m / (
            M_PER_DEGREE * np.maximum(np.cos(np.radians(there * within_m / M_PER_DEGREE)), 0.01)
        )
        column = np.floor(np.where(placed, lon, 0.0) / wide).astype(np.int64)
        keys += [_key(there, column + dx)[placed] for dx in (-1, 0, 1)]
    own = _key(row, np.floor(np.where(placed, lon, 0.0) / width).astype(np.int64))
    return _neighbourhoods(np.concatenate(keys), np.tile(np.flatnonzero(placed), len(keys)), own, placed)


def _key(row: Ints, column: Ints) -> Ints:
    return row * (1 << 32) + column


def _neighbourhoods(
    keys: Ints, device: NDArray[np.intp], own_keys: Ints, placed: NDArray[np.bool_]
) -> Neighbourhoods:
    """Number neighbourhoods that are given by keys.

    Args:
        keys, device: (m,) memberships. own_keys, placed: (n,) whose statistics each device asks for, if any.
    """
    names, member = np.unique(keys, return_inverse=True)
    if not len(names):
        own = np.full(len(own_keys), -1, dtype=np.intp)
    else:
        at = np.minimum(np.searchsorted(names, own_keys), len(names) - 1)
        own = np.where(placed & (names[at] == own_keys), at, -1)
    return Neighbourhoods(
        device=device, member=member, own=own, size=np.bincount(member, minlength=len(names))
    )
