"""The last value, the integral, and how often a condition was true recently.

Each function takes the view of one step and returns a result for all its rows; late rows are undecided.
Pure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rules.context.memory.view import DecidedRows, Floats, HistoryView, track

MOST_REMEMBERED = 16
"""How many readings or events a function of a device's own past remembers at most."""

_ONES = np.array([bin(bits).count("1") for bits in range(1 << MOST_REMEMBERED)], dtype=np.int64)
LAST = (1, 2)
BITS = (2, 2)
EVENTS = (0, 3 + MOST_REMEMBERED)
TOTAL = (1, 3)
HELD = (1, 0)
"""How many numbers and instants each remembers."""
_NEWEST = slice(3, 3 + MOST_REMEMBERED)


def last(view: HistoryView, value: Floats) -> tuple[Floats, Floats]:
    """Return the value before each row and the seconds since; NaN after silence, and at first."""
    before, elapsed_s = view.blank(), view.blank()
    found = track(view, ~np.isnan(value))
    if found is None:
        return before, elapsed_s
    mine = value[found.rows]
    past = np.where(found.first, view.value(0, found.whose), np.concatenate([[np.nan], mine[:-1]]))
    past_at = np.where(found.first, view.instant(0, found.whose), np.concatenate([[0], found.at[:-1]]))
    before[found.rows] = np.where(found.gap, np.nan, past)
    elapsed_s[found.rows] = np.where(found.gap, np.nan, (found.at - past_at) / 1e6)
    view.keep_value(0, found.owners, mine[found.last])
    found.remember(view)
    return before, elapsed_s


def held(view: HistoryView, value: Floats) -> Floats:
    """Return the newest value up to each row, however long ago that was; NaN values are passed over."""
    grouping = view.grouping
    first = grouping.first[grouping.group]
    counts = ~np.isnan(value) & ~view.late
    newest = np.maximum.accumulate(np.where(counts, np.arange(len(value)), -1))
    here = newest >= first
    before = view.value(0, grouping.state_rows)[grouping.group]
    result: Floats = np.where(view.late, np.nan, np.where(here, value[newest], before))
    changed = np.flatnonzero(here[grouping.last])
    view.keep_value(0, grouping.state_rows[changed], value[newest[grouping.last[changed]]])
    return result


def total(view: HistoryView, value: Floats, per_us: int) -> Floats:
    """Return the integral of a value over time, straight lines between readings, from the first one on.

    Kept as a whole number of millionths: adding up is exact, so it does not depend on how readings are cut.
    """
    result = view.blank()
    found = track(view, ~np.isnan(value))
    if found is None:
        return result
    mine = value[found.rows]
    past = np.where(found.first, view.value(0, found.whose), np.concatenate([[np.nan], mine[:-1]]))
    past_at = np.where(found.first, view.instant(0, found.whose), np.concatenate([[0], found.at[:-1]]))
    area = np.nan_to_num((mine + past) / 2 * (found.at - past_at) / per_us)
    grown = np.cumsum(np.rint(area * 1e6).astype(np.int64))
    begin = found.since(found.first)
    before = grown[begin] - np.rint(area[begin] * 1e6).astype(np.int64)
    sum_so_far = view.instant(2, found.whose) + grown - before
    result[found.rows] = sum_so_far / 1e6
    view.keep_value(0, found.owners, mine[found.last])
    found.remember(view, sum_so_far)
    return result


def of_readings(view: HistoryView, truth: Floats, readings: int) -> tuple[Floats, Floats]:
    """Return how many of the last decided readings, at most `readings` of them, were true, and of how many.

    Counting begins again after a gap. Remembered: the last 16 truths as bits, and how many there are.
    """
    trues, seen = view.blank(), view.blank()
    found = track(view, ~np.isnan(truth))
    if found is None:
        return trues, seen
    true = (truth[found.rows] == 1).astype(np.int64)
    position = np.arange(len(true))
    begin = found.since(found.first | found.gap)
    carried = found.first[begin] & ~found.gap[begin]
    bits = np.where(carried, np.nan_to_num(view.value(0, found.whose)), 0).astype(np.int64)
    known = np.where(carried, np.nan_to_num(view.value(1, found.whose)), 0).astype(np.int64)
    total = np.concatenate([[0], np.cumsum(true)])
    own = np.minimum(position - begin + 1, readings)
    older = np.minimum(known, readings - own)
    trues[found.rows] = total[position + 1] - total[position + 1 - own] + _ONES[bits & ((1 << older) - 1)]
    seen[found.rows] = own + older
    _keep_bits(view, found, true, begin, bits, known)
    return trues, seen


def _keep_bits(
    view: HistoryView,
    found: DecidedRows,
    true: NDArray[np.int64],
    begin: NDArray[np.intp],
    bits: NDArray[np.int64],
    known: NDArray[np.int64],
) -> None:
    end, start = found.last, begin[found.last]
    own = np.minimum(end - start + 1, MOST_REMEMBERED)
    packed = np.where(own < MOST_REMEMBERED, bits[end] << own, 0)
    for back in range(min(MOST_REMEMBERED, int(own.max()))):
        there = back < own
        packed[there] |= true[end[there] - back] << back
    view.keep_value(0, found.owners, packed & ((1 << MOST_REMEMBERED) - 1))
    view.keep_value(1, found.owners, np.minimum(own + known[end], MOST_REMEMBERED))
    found.remember(view)


def within(view: HistoryView, truth: Floats, window_us: int) -> tuple[Floats, Floats]:
    """Return how many readings of the last `window_us` were true, 16 at most, and whether that is all.

    It is all (1.0) when nothing longer than the gap was missed in the window. Remembered: since when
    nothing was missed, and the instants of the last 16 true readings.
    """
    trues, covered = view.blank(), view.blank()
    found = track(view, ~np.isnan(truth))
    if found is None:
        return trues, covered
    begin = found.since(found.first | found.gap)
    since = np.where(found.first[begin] & ~found.gap[begin], view.instant(2, found.whose), found.at[begin])
    covered[found.rows] = found.at - since >= window_us
    trues[found.rows] = _count_events(view, found, truth[found.rows] == 1, window_us)
    found.remember(view, since)
    return trues, covered


def _count_events(view: HistoryView, found: DecidedRows, true: NDArray[np.bool_], window_us: int) -> Floats:
    """Count events in each row's window and keep the newest ones."""
    if not true.any() and not view.instant(EVENTS[1] - 1, found.owners).any():
        return np.zeros(len(true))
    # Of each device: what was remembered, oldest first, then what is new.
    begin = np.flatnonzero(found.first)
    number = np.cumsum(found.first) - 1
    happened: NDArray[np.int64] = np.cumsum(true)
    before: NDArray[np.int64] = (happened - true)[begin]
    room: NDArray[np.int64] = MOST_REMEMBERED + (happened[found.last] - before)
    offset = np.cumsum(room) - room
    events = np.zeros(int(room.sum()), dtype=np.int64)
    cells = np.arange(MOST_REMEMBERED)
    events[offset[:, None] + cells] = view.instant(_NEWEST, found.owners)
    here = offset[number] + MOST_REMEMBERED + happened - before[number]
    events[here[true] - 1] = found.at[true]
    since = np.maximum(found.at - window_us, 0)
    recent = events[here[:, None] - 1 - cells] > since[:, None]
    counted: Floats = recent.sum(axis=1, dtype=np.float64)
    if true.any():
        end = here[found.last]
        view.keep_instant(_NEWEST, found.owners, events[end[:, None] - MOST_REMEMBERED + cells])
    return counted
