"""What is normal for a device, from slots of event time: computes baseline() and trend().

A window is eight slots of equal length, each with its mean. A row is compared with complete slots only, so
the result does not depend on how readings are cut into batches. Values may be kept apart by a percentage,
such as the dimming level, in steps of 20. Constant size per device. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.context.memory.bits import bits_of, numbers_of
from rules.context.memory.view import Floats, HistoryView, Rows
from rules.context.patch import Patch

SLOTS = 8
LEVELS = 6
"""Percentages 0, 20, ... 100."""
KNOWN = 3
"""Complete slots that are needed for a result."""
_MANY_ROUNDS = 8
LEARN_WITHIN = 0.1
"""Share of the normal value by which a learned value may differ: a fault must not become normal in days."""
DAY_US = 86_400_000_000

SUM, COUNT, NORMAL, WIDTH = SLOTS, SLOTS + 1, SLOTS + 2, SLOTS + 3

Conclude = Callable[[NDArray[np.float64]], Floats]
"""Turns (m, 8) slot means, oldest first, NaN where unknown, into (m,) numbers."""


def cells(levels: int) -> tuple[int, int]:
    """Return how many numbers and instants are remembered: the slots of each level, and the slot's number."""
    return WIDTH * levels, 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotPolicy:
    """Length of a slot, number of levels, what is concluded from the means of slots.

    near_only: whether only values near the conclusion are learned.
    """

    slot_us: int
    levels: int
    conclude: Conclude
    near_only: bool


@dataclass(slots=True, kw_only=True)
class _Table:
    """The slots of g devices: cells (g, levels, width), number of the present slot (g,)."""

    cells: NDArray[np.float64]
    number: NDArray[np.int64]


def compute(view: HistoryView, value: Floats, level: Floats | None, policy: SlotPolicy) -> Floats:
    """Return what the slots before each row's slot say of its device at its level, (n,); learn the values."""
    result = view.blank()
    decided = ~np.isnan(value) & ~view.late
    if level is not None:
        decided &= ~np.isnan(level)
    rows = np.flatnonzero(decided)
    if not len(rows):
        return result
    group = view.grouping.group[rows]
    owners, owner = np.unique(group, return_inverse=True)
    number = view.context.observed_at[rows] // policy.slot_us
    bins = np.zeros(len(rows), dtype=np.intp)
    if level is not None:
        bins = np.clip(np.rint(level[rows] / 20), 0, LEVELS - 1).astype(np.intp)
    if len(owners) == len(rows) and (view.instant(0, view.grouping.state_rows[group]) == number).all():
        result[rows] = _add_one(view, group, bins, value[rows], policy)
        return result
    table = _load(view, owners, policy)
    _fill(table, result, (rows, owner, number, bins, value[rows]), policy)
    _store(view, owners, table)
    return result


def _add_one(view: HistoryView, group: Rows, bins: Rows, value: Floats, policy: SlotPolicy) -> Floats:
    """Return the result of one row each of devices whose slot goes on: the ordinary batch."""
    devices, column = view.grouping.state_rows[group], view.first_value + bins * WIDTH
    normal = numbers_of(view.values[devices, column + NORMAL])
    near = _near(value, normal, policy)
    for cell, more in ((SUM, value), (COUNT, np.ones(len(value)))):
        known = numbers_of(view.values[devices, column + cell])
        learned = bits_of((known + more)[near])
        view.patches.append(Patch("value", devices[near], (column + cell)[near], learned))
    return normal


def _near(value: Floats, normal: Floats, policy: SlotPolicy) -> NDArray[np.bool_]:
    """Tell which values are learned."""
    if not policy.near_only:
        return np.ones(len(value), dtype=np.bool_)
    return np.isnan(normal) | (np.abs(value - normal) <= LEARN_WITHIN * np.abs(normal))


def _fill(
    table: _Table,
    result: Floats,
    decided: tuple[Rows, Rows, NDArray[np.int64], Rows, Floats],
    policy: SlotPolicy,
) -> None:
    """Write the result of decided rows.

    Args:
        decided: (k,) each: rows, their devices, numbers of their slots, levels, values.
    """
    rows, owner, number, bins, value = decided
    changes = np.ones(len(rows), dtype=np.bool_)
    changes[1:] = (owner[1:] != owner[:-1]) | (number[1:] != number[:-1])
    begins = np.flatnonzero(changes)
    first = np.searchsorted(owner[begins], owner[begins])
    rank = np.arange(len(begins)) - first
    if not policy.near_only and rank.max() >= _MANY_ROUNDS:
        _fill_all(table, result, (rows, owner[begins], number[begins], np.cumsum(changes) - 1, value), policy)
        return
    # Where only what is normal is learned, a slot depends on the one before: one round for each.
    size = np.diff(np.append(begins, len(rows)))
    by_rank = np.argsort(np.repeat(rank, size), kind="stable")
    for mine in np.split(by_rank, np.cumsum(np.bincount(np.repeat(rank, size)))[:-1]):
        _advance(table, owner[mine], number[mine], policy)
        normal = table.cells[owner[mine], bins[mine], NORMAL]
        result[rows[mine]] = normal
        _learn(table.cells, owner[mine], bins[mine], value[mine], normal, policy)


def _fill_all(
    table: _Table,
    result: Floats,
    decided: tuple[Rows, Rows, NDArray[np.int64], Rows, Floats],
    policy: SlotPolicy,
) -> None:
    """Do the same for a single level where everything is learned: all slots of all devices at once.

    Args:
        decided: rows (k,); owner, number (s,) of the slots they lie in, in order; slot (k,) of each row;
            values (k,).
    """
    rows, owner, number, slot, value = decided
    cells, present = table.cells[:, 0], table.number
    begins = np.ones(len(owner), dtype=np.bool_)
    begins[1:] = owner[1:] != owner[:-1]
    first, last = np.flatnonzero(begins), np.append(np.flatnonzero(begins)[1:], len(owner)) - 1
    continued = number == present[owner]
    total = np.where(continued, cells[owner, SUM], 0.0)
    count = np.where(continued, cells[owner, COUNT], 0.0)
    np.add.at(total, slot, value)
    count += np.bincount(slot, minlength=len(owner))

    # Every device's slots in order: the seven or eight it knew, the one that was present, the new ones.
    each = np.arange(len(present))
    back = np.arange(SLOTS - 1, 0, -1)
    known_number = present[:, None] - back
    known_mean = cells[each[:, None], known_number % SLOTS]
    before = np.where(cells[:, COUNT] > 0, cells[:, SUM] / np.maximum(cells[:, COUNT], 1), np.nan)
    key = np.concatenate([np.repeat(each, SLOTS - 1), each, owner])
    resumed = np.zeros(len(each), dtype=np.bool_)
    resumed[owner[first]] = continued[first]
    # A slot that goes on is among the new ones already.
    when = np.concatenate([known_number.ravel(), np.where(resumed, present - 2 * SLOTS, present), number])
    means = np.concatenate([known_mean.ravel(), before, total / count])
    order = np.lexsort((np.arange(len(key)), when, key))
    key, when, means = key[order], when[order], means[order]
    moved_to = np.empty(len(order), dtype=np.intp)
    moved_to[order] = np.arange(len(order))
    here = moved_to[SLOTS * len(each) :]

    window = np.full((len(owner), SLOTS), np.nan)
    for step in range(1, SLOTS + 1):
        there = np.maximum(here - step, 0)
        age = number - when[there]
        fits = (here >= step) & (key[there] == owner) & (age > 0) & (age < SLOTS)
        window[fits, SLOTS - age[fits]] = means[there[fits]]
    normal = np.where(continued, cells[owner, NORMAL], np.nan)
    fresh = ~continued
    normal[fresh] = policy.conclude(window[fresh])
    result[rows] = normal[slot]

    # Devices with a new slot remember the window of their last one.
    end, whose = last[~continued[last]], owner[last[~continued[last]]]
    for age in range(1, SLOTS):
        cells[whose, (number[end] - age) % SLOTS] = window[end, SLOTS - age]
    cells[whose, number[end] % SLOTS] = np.nan
    cells[whose, NORMAL] = normal[end]
    present[whose] = number[end]
    cells[owner[last], SUM], cells[owner[last], COUNT] = total[last], count[last]


def _load(view: HistoryView, owners: Rows, policy: SlotPolicy) -> _Table:
    devices = view.grouping.state_rows[owners]
    # Row after row: what is learned is added in place.
    cells = np.ascontiguousarray(view.value(slice(0, WIDTH * policy.levels), devices))
    number = view.instant(0, devices)
    return _Table(cells=cells.reshape(len(owners), policy.levels, WIDTH), number=number)


def _store(view: HistoryView, owners: Rows, table: _Table) -> None:
    devices = view.grouping.state_rows[owners]
    cells = table.cells.reshape(len(owners), -1)
    view.keep_value(slice(0, cells.shape[1]), devices, cells)
    view.keep_instant(0, devices, table.number)


def _advance(table: _Table, owner: Rows, number: NDArray[np.int64], policy: SlotPolicy) -> None:
    """Complete the slots of devices that have moved on to another one."""
    moved = number != table.number[owner]
    if not moved.any():
        return
    owners, position = np.unique(owner[moved], return_index=True)
    new, old = number[moved][position], table.number[owners]
    cells = table.cells[owners]
    total, count = np.nan_to_num(cells[:, :, SUM]), np.nan_to_num(cells[:, :, COUNT])
    each = np.arange(len(owners))
    cells[each, :, old % SLOTS] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    for ahead in range(1, SLOTS + 1):
        skipped = old + ahead <= new
        cells[each[skipped], :, (old[skipped] + ahead) % SLOTS] = np.nan
    cells[:, :, SUM] = cells[:, :, COUNT] = 0.0
    chronological = (new[:, None] + np.arange(SLOTS)) % SLOTS
    means = cells[each[:, None, None], np.arange(policy.levels)[None, :, None], chronological[:, None, :]]
    cells[:, :, NORMAL] = policy.conclude(means.reshape(-1, SLOTS)).reshape(len(owners), policy.levels)
    table.cells[owners] = cells
    table.number[owners] = new


def _learn(
    table: NDArray[np.float64], owner: Rows, bins: Rows, value: Floats, normal: Floats, policy: SlotPolicy
) -> None:
    near = _near(value, normal, policy)
    cell = owner[near] * policy.levels + bins[near]
    # What was summed before is added first, so the sum does not depend on how readings are cut into batches.
    flat = table.reshape(-1, WIDTH)
    np.add.at(flat[:, SUM], cell, value[near])
    np.add.at(flat[:, COUNT], cell, 1.0)


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
