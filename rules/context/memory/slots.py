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

from rules.context.memory.view import Floats, HistoryView, Rows
from rules.context.patch import Patch

SLOTS = 8
LEVELS = 6
"""Percentages 0, 20, ... 100."""
KNOWN = 3
"""Complete slots without which nothing can be said."""
_MANY_ROUNDS = 8
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
class SlotPolicy:
    """How to conclude from slots, and whether only what is near the conclusion is learned."""

    slot_us: int
    levels: int
    conclude: Conclude
    picky: bool


@dataclass(slots=True, kw_only=True)
class _Table:
    """The slots of g devices: cells (g, levels, width), number of the slot under way (g,)."""

    cells: NDArray[np.float64]
    number: NDArray[np.int64]


def look_up(look: HistoryView, value: Floats, level: Floats | None, slots: SlotPolicy) -> Floats:
    """Return what was concluded, before each row's slot, of its device at its level; and learn the values."""
    result = look.blank()
    decided = ~np.isnan(value) & ~look.late
    if level is not None:
        decided &= ~np.isnan(level)
    rows = np.flatnonzero(decided)
    if not len(rows):
        return result
    group = look.grouping.group[rows]
    owners, owner = np.unique(group, return_inverse=True)
    number = look.context.observed_at[rows] // slots.slot_us
    bins = np.zeros(len(rows), dtype=np.intp)
    if level is not None:
        bins = np.clip(np.rint(level[rows] / 20), 0, LEVELS - 1).astype(np.intp)
    if len(owners) == len(rows) and (look.instant(0, look.grouping.slots[group]) == number).all():
        result[rows] = _add_one(look, group, bins, value[rows], slots)
        return result
    table = _load(look, owners, slots)
    _fill(table, result, (rows, owner, number, bins, value[rows]), slots)
    _store(look, owners, table)
    return result


def _add_one(look: HistoryView, group: Rows, bins: Rows, value: Floats, slots: SlotPolicy) -> Floats:
    """Answer for one row each of devices whose slot goes on: the ordinary batch."""
    devices, column = look.grouping.slots[group], look.first_value + bins * _WIDTH
    normal: Floats = look.values[devices, column + _NORMAL]
    near = _near(value, normal, slots)
    for cell, more in ((_SUM, value), (_COUNT, np.ones(len(value)))):
        known = look.values[devices, column + cell]
        look.patches.append(Patch("value", devices[near], (column + cell)[near], (known + more)[near]))
    return normal


def _near(value: Floats, normal: Floats, slots: SlotPolicy) -> NDArray[np.bool_]:
    """Tell which values are learned."""
    if not slots.picky:
        return np.ones(len(value), dtype=np.bool_)
    return np.isnan(normal) | (np.abs(value - normal) <= LEARN_WITHIN * np.abs(normal))


def _fill(
    table: _Table,
    result: Floats,
    decided: tuple[Rows, Rows, NDArray[np.int64], Rows, Floats],
    slots: SlotPolicy,
) -> None:
    """Answer for decided rows: where they are, whose, their slots and levels, their values."""
    rows, owner, number, bins, value = decided
    changes = np.ones(len(rows), dtype=np.bool_)
    changes[1:] = (owner[1:] != owner[:-1]) | (number[1:] != number[:-1])
    begins = np.flatnonzero(changes)
    first = np.searchsorted(owner[begins], owner[begins])
    rank = np.arange(len(begins)) - first
    if not slots.picky and rank.max() >= _MANY_ROUNDS:
        _fill_all(table, result, (rows, owner[begins], number[begins], np.cumsum(changes) - 1, value), slots)
        return
    # Where only what is normal is learned, a slot depends on the one before: one round for each.
    size = np.diff(np.append(begins, len(rows)))
    by_rank = np.argsort(np.repeat(rank, size), kind="stable")
    for mine in np.split(by_rank, np.cumsum(np.bincount(np.repeat(rank, size)))[:-1]):
        _advance(table, owner[mine], number[mine], slots)
        normal = table.cells[owner[mine], bins[mine], _NORMAL]
        result[rows[mine]] = normal
        _learn(table.cells, owner[mine], bins[mine], value[mine], normal, slots)


def _fill_all(
    table: _Table,
    result: Floats,
    decided: tuple[Rows, Rows, NDArray[np.int64], Rows, Floats],
    slots: SlotPolicy,
) -> None:
    """Do the same for a single level where everything is learned: all slots of all devices at once.

    owner, number are those of the slots here, in order; of each row, which slot it lies in.
    """
    rows, owner, number, slot, value = decided
    cells, under_way = table.cells[:, 0], table.number
    begins = np.ones(len(owner), dtype=np.bool_)
    begins[1:] = owner[1:] != owner[:-1]
    first, last = np.flatnonzero(begins), np.append(np.flatnonzero(begins)[1:], len(owner)) - 1
    continued = number == under_way[owner]
    total = np.where(continued, cells[owner, _SUM], 0.0)
    count = np.where(continued, cells[owner, _COUNT], 0.0)
    np.add.at(total, slot, value)
    count += np.bincount(slot, minlength=len(owner))

    # Every device's slots in order: the seven or eight it knew, the one that was under way, the new ones.
    each = np.arange(len(under_way))
    back = np.arange(SLOTS - 1, 0, -1)
    known_number = under_way[:, None] - back
    known_mean = cells[each[:, None], known_number % SLOTS]
    before = np.where(cells[:, _COUNT] > 0, cells[:, _SUM] / np.maximum(cells[:, _COUNT], 1), np.nan)
    key = np.concatenate([np.repeat(each, SLOTS - 1), each, owner])
    resumed = np.zeros(len(each), dtype=np.bool_)
    resumed[owner[first]] = continued[first]
    # A slot that goes on is among the new ones already.
    when = np.concatenate([known_number.ravel(), np.where(resumed, under_way - 2 * SLOTS, under_way), number])
    means = np.concatenate([known_mean.ravel(), before, total / count])
    order = np.lexsort((np.arange(len(key)), when, key))
    key, when, means = key[order], when[order], means[order]
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    here = place[SLOTS * len(each) :]

    window = np.full((len(owner), SLOTS), np.nan)
    for step in range(1, SLOTS + 1):
        there = np.maximum(here - step, 0)
        age = number - when[there]
        fits = (here >= step) & (key[there] == owner) & (age > 0) & (age < SLOTS)
        window[fits, SLOTS - age[fits]] = means[there[fits]]
    normal = np.where(continued, cells[owner, _NORMAL], np.nan)
    fresh = ~continued
    normal[fresh] = slots.conclude(window[fresh])
    result[rows] = normal[slot]

    # Those whose time moved on remember the window of their last slot.
    end, whose = last[~continued[last]], owner[last[~continued[last]]]
    for age in range(1, SLOTS):
        cells[whose, (number[end] - age) % SLOTS] = window[end, SLOTS - age]
    cells[whose, number[end] % SLOTS] = np.nan
    cells[whose, _NORMAL] = normal[end]
    under_way[whose] = number[end]
    cells[owner[last], _SUM], cells[owner[last], _COUNT] = total[last], count[last]


def _load(look: HistoryView, owners: Rows, slots: SlotPolicy) -> _Table:
    devices = look.grouping.slots[owners]
    # Row after row: what is learned is added in place.
    cells = np.ascontiguousarray(look.value(slice(0, _WIDTH * slots.levels), devices))
    number = look.instant(0, devices)
    return _Table(cells=cells.reshape(len(owners), slots.levels, _WIDTH), number=number)


def _store(look: HistoryView, owners: Rows, table: _Table) -> None:
    devices = look.grouping.slots[owners]
    cells = table.cells.reshape(len(owners), -1)
    look.keep_value(slice(0, cells.shape[1]), devices, cells)
    look.keep_instant(0, devices, table.number)


def _advance(table: _Table, owner: Rows, number: NDArray[np.int64], slots: SlotPolicy) -> None:
    """Complete the slots of devices whose time has moved on to another one."""
    moved = number != table.number[owner]
    if not moved.any():
        return
    owners, position = np.unique(owner[moved], return_index=True)
    new, old = number[moved][position], table.number[owners]
    cells = table.cells[owners]
    total, count = np.nan_to_num(cells[:, :, _SUM]), np.nan_to_num(cells[:, :, _COUNT])
    each = np.arange(len(owners))
    cells[each, :, old % SLOTS] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    for ahead in range(1, SLOTS + 1):
        skipped = old + ahead <= new
        cells[each[skipped], :, (old[skipped] + ahead) % SLOTS] = np.nan
    cells[:, :, _SUM] = cells[:, :, _COUNT] = 0.0
    chronological = (new[:, None] + np.arange(SLOTS)) % SLOTS
    means = cells[each[:, None, None], np.arange(slots.levels)[None, :, None], chronological[:, None, :]]
    cells[:, :, _NORMAL] = slots.conclude(means.reshape(-1, SLOTS)).reshape(len(owners), slots.levels)
    table.cells[owners] = cells
    table.number[owners] = new


def _learn(
    table: NDArray[np.float64], owner: Rows, bins: Rows, value: Floats, normal: Floats, slots: SlotPolicy
) -> None:
    near = _near(value, normal, slots)
    place = owner[near] * slots.levels + bins[near]
    # What was summed before is added first, so the sum does not depend on how readings are cut into batches.
    flat = table.reshape(-1, _WIDTH)
    np.add.at(flat[:, _SUM], place, value[near])
    np.add.at(flat[:, _COUNT], place, 1.0)


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
