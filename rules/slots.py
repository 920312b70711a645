"""A device's own normal, slot by slot of event time: the engine behind baseline() and trend().

A window is eight slots, each with its mean. What a row is compared with comes from complete slots only, so
it does not depend on how readings are cut into batches. Values may be kept apart by a percentage, such as
the dimming level, in steps of 20. Constant size per device. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.look import Floats, Look, Rows

SLOTS = 8
LEVELS = 6
"""Percentages 0, 20, ... 100."""
KNOWN = 3
"""Complete slots without which nothing can be said."""
LEARN_WITHIN = 0.1
"""How far from normal a value may be to be learned: a fault must not become normal within days."""
DAY_US = 86_400_000_000

_SUM, _COUNT, _NORMAL, _WIDTH = SLOTS, SLOTS + 1, SLOTS + 2, SLOTS + 3

Conclude = Callable[[NDArray[np.float64]], Floats]
"""Turns (m, 8) slot means, oldest first, NaN where unknown, into one number each."""


def cells(levels: int) -> tuple[int, int]:
    """Return how many numbers and instants are remembered: the slots of each level, and the slot's number."""
    return _WIDTH * levels, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """How to conclude from slots, and whether only what is near the conclusion is learned."""

    slot_us: int
    levels: int
    conclude: Conclude
    picky: bool


def look_up(look: Look, value: Floats, level: Floats | None, slots: Slots) -> Floats:
    """Return what was concluded, before each row's slot, of its device at its level; and learn the values."""
    result = look.blank()
    decided = ~np.isnan(value) & ~look.late
    if level is not None:
        decided &= ~np.isnan(level)
    rows = np.flatnonzero(decided)
    if not len(rows):
        return result
    owner = look.grouping.group[rows]
    number = look.context.observed_at[rows] // slots.slot_us
    bins = np.zeros(len(rows), dtype=np.intp)
    if level is not None:
        bins = np.clip(np.rint(level[rows] / 20), 0, LEVELS - 1).astype(np.intp)
    # One round for each slot of event time that a device's rows of this step lie in: ordinarily one.
    changes = np.ones(len(rows), dtype=np.bool_)
    changes[1:] = (owner[1:] != owner[:-1]) | (number[1:] != number[:-1])
    begins = np.flatnonzero(changes)
    first = np.searchsorted(owner[begins], owner[begins])
    rank = (np.arange(len(begins)) - first)[np.cumsum(changes) - 1]
    for turn in range(int(rank.max()) + 1):
        mine = np.flatnonzero(rank == turn)
        _advance(look, owner[mine], number[mine], slots)
        table = look.values.reshape(len(look.values), slots.levels, _WIDTH)
        normal = table[owner[mine], bins[mine], _NORMAL]
        result[rows[mine]] = normal
        _learn(table, owner[mine], bins[mine], value[rows[mine]], normal, slots)
    return result


def _advance(look: Look, owner: Rows, number: NDArray[np.int64], slots: Slots) -> None:
    """Complete the slots of devices whose time has moved on to another one."""
    owners, position = np.unique(owner, return_index=True)
    new, old = number[position], look.instants[owners, 0]
    moved = new != old
    if not moved.any():
        return
    owners, new, old = owners[moved], new[moved], old[moved]
    table = look.values[owners].reshape(len(owners), slots.levels, _WIDTH)
    total, count = np.nan_to_num(table[:, :, _SUM]), np.nan_to_num(table[:, :, _COUNT])
    each = np.arange(len(owners))
    table[each, :, old % SLOTS] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    for ahead in range(1, SLOTS + 1):
        skipped = old + ahead <= new
        table[each[skipped], :, (old[skipped] + ahead) % SLOTS] = np.nan
    table[:, :, _SUM] = table[:, :, _COUNT] = 0.0
    chronological = (new[:, None] + np.arange(SLOTS)) % SLOTS
    means = table[each[:, None, None], np.arange(slots.levels)[None, :, None], chronological[:, None, :]]
    table[:, :, _NORMAL] = slots.conclude(means.reshape(-1, SLOTS)).reshape(len(owners), slots.levels)
    look.values[owners] = table.reshape(len(owners), -1)
    look.instants[owners, 0] = new


def _learn(
    table: NDArray[np.float64], owner: Rows, bins: Rows, value: Floats, normal: Floats, slots: Slots
) -> None:
    near = np.ones(len(value), dtype=np.bool_)
    if slots.picky:
        near = np.isnan(normal) | (np.abs(value - normal) <= LEARN_WITHIN * np.abs(normal))
    cells, place = np.unique(owner[near] * slots.levels + bins[near], return_inverse=True)
    who, level = np.divmod(cells, slots.levels)
    each = np.arange(len(cells))
    # What was summed before goes first, so that the sum does not depend on how readings are cut into batches.
    order, weights = np.append(each, place), np.append(table[who, level, _SUM], value[near])
    table[who, level, _SUM] = np.bincount(order, weights, minlength=len(cells))
    table[who, level, _COUNT] += np.bincount(place, minlength=len(cells))


def median(means: NDArray[np.float64]) -> Floats:
    """Return the median of the known ones of each row, NaN when there are fewer than three."""
    return _median(means, KNOWN)


def _median(numbers: NDArray[np.float64], least: int) -> Floats:
    ordered = np.sort(numbers, axis=1)
    known = np.sum(~np.isnan(numbers), axis=1)
    each, middle = np.arange(len(numbers)), np.maximum(known - 1, 0)
    result: Floats = (ordered[each, middle // 2] + ordered[each, (middle + 1) // 2]) / 2
    return np.where(known >= least, result, np.nan)


def slope(slot_us: int) -> Conclude:
    """Return what yields the change per day: the median slope over all pairs (Theil and Sen)."""
    early, late = np.triu_indices(SLOTS, 1)
    days = (late - early) * (slot_us / DAY_US)

    def conclude(means: NDArray[np.float64]) -> Floats:
        return _median((means[:, late] - means[:, early]) / days, KNOWN * (KNOWN - 1) // 2)

    return conclude
