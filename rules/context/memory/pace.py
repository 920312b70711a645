"""How often a device really reports, against what its kind expects: its pace.

A pace of 1 is the kind's, 144 that of a bin that reports once a day instead of every ten minutes. It is
learned from the last 32 gaps between readings in event time, so it does not depend on how readings are cut
into batches. A device whose own interval is known has no pace. Constant size per device. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.context.grouping import Grouping
from rules.context.patch import Patch

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]
Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]
Codes = NDArray[np.int8]

KEPT = 32
"""How many gaps are remembered."""
_STEP = 1.05
"""Gaps are kept as powers of this times the kind's interval, in one byte."""
_MOST = 127
ABSENT = -_MOST - 1
SLOW, BRISK = 2.5, 0.5
"""A gap longer than this many of the kind's intervals is slow, one shorter than that is brisk."""
_FEWEST_SLOW = 3
"""One long gap is an outage; so many are a habit, where they are more than half of all."""
BRISK_FOR_US = 86_400_000_000
"""For so long no gap may be other than brisk before less than the kind's interval is expected: events come in
bursts."""
_RARE = 4
"""Where one gap in so many is slow nobody is missed for another one."""
_FEW = 3.0
"""The longest of n gaps may be short of the longest there will be by this over n."""
EVENTS_FOR_US = 10 * 86_400_000_000
"""For so long after a slow gap, brisk ones are events and not remembered."""
P95_PATIENCE = 1.2
"""The expected interval is the median gap, or the 95th percentile over this where gaps differ much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRows:
    """What is remembered of d devices, a part of a state.

    watermark: (d,) newest observed_at, 0 at first. gap: (d, KEPT) gaps as codes, oldest overwritten first.
    gaps: (d,) how many there ever were. slow_at: (d,) end of the last slow gap. slow_until: (d,) up to which
    number of gaps a slow one is remembered. brisk_since: (d,) end of the last gap that was not brisk.
    wait_us: (d,) what the kind expected after the newest reading.
    """

    watermark: Instants
    gap: Codes
    gaps: Instants
    slow_at: Instants
    slow_until: Instants
    brisk_since: Instants
    wait_us: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceResult:
    """What is learned in a step: the pace as of each row (n,), None where all keep their kind's.

    patience: (n,) the pace by which a device is missed, learned sooner: a wrong alarm costs more than a late
    one. was_odd: whether a device may have had another one before.
    """

    pace: Floats | None
    patience: Floats | None
    was_odd: bool
    patches: tuple[Patch, ...]


def blank_pace(name: str, devices: int) -> NDArray[Any]:
    """Return one of PaceRows' arrays for devices that never reported, column after column in memory."""
    if name == "gap":
        return np.zeros((devices, KEPT), dtype=np.int8, order="F")
    return np.zeros(devices, dtype=np.int64)


def learn(
    grouping: Grouping,
    observed_at: Instants,
    expected_us: Instants,
    learns: Bools,
    late: Bools,
    rows: PaceRows,
) -> PaceResult:
    """Return the pace as of each row of a step, and what is to be remembered.

    Args:
        observed_at, expected_us: (n,) sorted as the grouping is; when, and how soon after it the kind expects
            another reading.
        learns: (n,) whether the row's device has no interval of its own. late: (n,).
    """
    counted = learns & ~late
    if len(counted) and counted.all():  # as nearly always: every row counts, in the grouping's own order
        mine: Rows | slice = slice(None)
        begin, last, owners = grouping.first, grouping.last, grouping.state_rows
        group = grouping.group
    else:
        mine = np.flatnonzero(counted)
        if not len(mine):
            return PaceResult(pace=None, patience=None, was_odd=False, patches=())
        begins = np.ones(len(mine), dtype=np.bool_)
        begins[1:] = np.diff(grouping.group[mine]) != 0
        begin, group = np.flatnonzero(begins), np.cumsum(begins) - 1
        last = np.append(begin[1:], len(mine)) - 1
        owners = grouping.state_rows[grouping.group[mine[begin]]]
    at, wait = observed_at[mine], expected_us[mine]
    before, waited = np.empty_like(at), np.empty_like(wait)
    before[1:], waited[1:] = at[:-1], wait[:-1]
    before[begin], waited[begin] = rows.watermark[owners], rows.wait_us[owners]
    known = (before != 0) & (waited > 0)
    ratio = np.full(len(at), np.nan)
    np.divide(at - before, waited, out=ratio, where=known)
    code = codes_of(ratio)

    slow = known & (ratio > SLOW)
    slow_at = _latest(slow, at, begin, group, rows.slow_at[owners])
    brisk_since = _latest(~(ratio < BRISK), at, begin, group, rows.brisk_since[owners])
    # Whoever reports rarely sends events between: they say nothing of its rhythm.
    known &= (ratio >= BRISK) | (at - slow_at >= EVENTS_FOR_US)
    number = _running(known, begin, group, rows.gaps[owners])
    slow_until = _latest(slow, number + KEPT, begin, group, rows.slow_until[owners])
    odd = number < slow_until
    odd |= (number >= KEPT) & (at - brisk_since >= BRISK_FOR_US)
    pace: Floats | None = None
    patience: Floats | None = None
    if odd.any():
        pace, patience = np.ones(len(observed_at)), np.ones(len(observed_at))
        strange = np.flatnonzero(counted)[odd]
        pace[strange], patience[strange] = of_windows(
            windows_of(rows, owners, group, number, known, code, odd)
        )
    was = (rows.gaps[owners] < rows.slow_until[owners]) | (rows.gaps[owners] >= KEPT) & (
        rows.watermark[owners] - rows.brisk_since[owners] >= BRISK_FOR_US
    )
    return PaceResult(
        pace=pace,
        patience=patience,
        was_odd=bool(was.any()),
        patches=(
            *_kept_gaps(owners, group, known, number, code),
            Patch("gaps", owners, None, number[last]),
            *(_of_slow(owners, slow_at[last], slow_until[last]) if slow.any() else ()),
            Patch("brisk_since", owners, None, brisk_since[last]),
            Patch("wait_us", owners, None, wait[last]),
        ),
    )


def codes_of(ratio: Floats) -> Codes:
    """Return gaps in intervals as powers of _STEP, ABSENT where there is none."""
    with np.errstate(invalid="ignore"):
        power = np.rint(np.log(np.maximum(ratio, 1e-9).astype(np.float32)) * np.float32(1.0 / np.log(_STEP)))
    codes: Codes = np.where(np.isnan(power), ABSENT, np.clip(power, -_MOST, _MOST)).astype(np.int8)
    return codes


def _of_slow(owners: Rows, slow_at: Instants, slow_until: Instants) -> tuple[Patch, Patch]:
    return Patch("slow_at", owners, None, slow_at), Patch("slow_until", owners, None, slow_until)


def _running(known: Bools, begin: Rows, group: Rows, before: Instants) -> Instants:
    """Return how many gaps each row's device has had up to it."""
    total = np.cumsum(known)
    running: Instants = (before - total[begin] + known[begin])[group] + total
    return running


def _latest(present: Bools, values: Instants, begin: Rows, group: Rows, before: Instants) -> Instants:
    """Return the value of the latest row of the same device, up to each one, where it is present."""
    if not present.any():
        return before[group]
    if present.all():
        return values
    begun = values.copy()
    begun[begin] = np.where(present[begin], values[begin], before)
    counts = present.copy()
    counts[begin] = True
    found: Instants = begun[np.maximum.accumulate(np.where(counts, np.arange(len(begun)), 0))]
    return found


def _kept_gaps(owners: Rows, group: Rows, known: Bools, number: Instants, code: Codes) -> list[Patch]:
    """Return what overwrites the oldest gaps; of more than are kept only the newest."""
    newest = np.ones(len(group), dtype=np.bool_)
    if len(group) > KEPT:
        newest[:-KEPT] = group[:-KEPT] != group[KEPT:]
    kept = np.flatnonzero(known & newest)
    if not len(kept):
        return []
    return [Patch("gap", owners[group[kept]], ((number[kept] - 1) % KEPT).astype(np.intp), code[kept])]


def windows_of(
    rows: PaceRows, owners: Rows, owner: Rows, number: Instants, known: Bools, code: Codes, odd: Bools
) -> Codes:
    """Return the gaps that are remembered as of each odd row, oldest first, (m, KEPT)."""
    strange = np.unique(owner[odd])
    # Of each strange device: what was remembered, oldest first, then what is new.
    place = np.full(len(owners), -1, dtype=np.intp)
    place[strange] = np.arange(len(strange))
    total = rows.gaps[owners[strange]]
    old_number = total[:, None] - np.arange(KEPT - 1, -1, -1)
    old = rows.gap[owners[strange][:, None], (old_number - 1) % KEPT]
    fresh = np.bincount(place[owner[known & (place[owner] >= 0)]], minlength=len(strange))
    offset = np.cumsum(KEPT + fresh) - (KEPT + fresh)
    series = np.full(int((KEPT + fresh).sum()), ABSENT, dtype=np.int8)
    cells = np.arange(KEPT)
    series[offset[:, None] + cells] = np.where(old_number >= 1, old, ABSENT)
    own = np.flatnonzero(place[owner] >= 0)
    end = np.full(len(owner), -1, dtype=np.intp)
    end[own] = offset[place[owner[own]]] + KEPT + (number[own] - total[place[owner[own]]])
    new = own[known[own]]
    series[end[new] - 1] = code[new]
    windows: Codes = series[end[odd][:, None] - KEPT + cells]
    return windows


def of_windows(windows: Codes) -> tuple[Floats, Floats]:
    """Return pace and patience of (m, KEPT) remembered gaps; 1 where nothing else is certain."""
    ordered = np.sort(windows, axis=1)
    held = (ordered != ABSENT).sum(axis=1)
    each, start = np.arange(len(ordered)), KEPT - held
    there = np.maximum(held, 1)
    middle = ordered[each, np.minimum(start + (there - 1) // 2, KEPT - 1)]
    high = ordered[each, np.minimum(start + -(-there * 95 // 100) - 1, KEPT - 1)]
    scarce = np.where(held < KEPT, 1.0 + _FEW / there, 1.0)
    pace: Floats = np.maximum(
        _STEP ** middle.astype(np.float64), scarce * _STEP ** high.astype(np.float64) / P95_PATIENCE
    )
    slow = (ordered > np.log(SLOW) / np.log(_STEP)).sum(axis=1)
    habit = (slow >= _FEWEST_SLOW) & (2 * slow > held)
    shortens = (pace < BRISK) & (held == KEPT) & (ordered[:, -1] < np.log(BRISK) / np.log(_STEP))
    seldom = (slow > 0) & (_RARE * slow > held)
    found = np.where((habit & (pace > 1.0)) | shortens, pace, 1.0)
    return found, np.where((seldom & (pace > 1.0)) | shortens, pace, 1.0)
