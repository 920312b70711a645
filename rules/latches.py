"""The state machine: latches that flip once what they wait for has held long enough in event time.

One rule at a time, over all rows of all its busy devices at once: devices where nothing holds and nothing
is pending are settled without being looked at. Between flips everything is scans over rows; a flip starts
the scan anew behind it, for that device alone. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.context import Context
from rules.grouping import Grouping
from rules.program import Compiled
from rules.state import Patch, Rows
from rules.truth import Truth

Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Instants = NDArray[np.int64]

WINDOW = 512
"""Rows of one device that are scanned at once: what is scanned again after a flip."""


@dataclass(frozen=True, slots=True)
class Flip:
    """A rule's level changed on a row of the step. Levels count from 0; -1 is none.

    since: when the run began that led to it.
    """

    row: int
    rule: int
    before: int
    after: int
    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What latches wait for while off (rise) and while on (fall), per level (n,): 1, 0, NaN undecided.

    late: (n,) rows that may at most raise by themselves, None when there are none; of them, fall is
    undecided, and so is rise unless the rule raises late.
    """

    rise: list[Truth]
    fall: list[Truth]
    late: Bools | None


@dataclass(slots=True, kw_only=True)
class _Latches:
    """The latches of one rule on k devices, (k, levels); ended is (k,). See rules.state."""

    on: Bools
    count: NDArray[np.int32]
    start: Instants
    due: Instants
    ended: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """m rows, ragged by device. device: (m,) which of the scanned ones. stop: (k,) last position of each.

    held: (m, levels) latches that have what they wait for. count, start, due: (m, levels) as of each row.
    """

    rows: Indices
    device: Indices
    stop: Indices
    held: Bools
    count: NDArray[np.int64]
    start: Instants
    due: Instants


def run(
    index: int, rule: Compiled, wanted: Wanted, context: Context, grouping: Grouping, rows: Rows
) -> tuple[list[Flip], list[Patch]]:
    """Advance one rule over all rows; `rows` is the state, which stays as it is."""
    busy = _busy(rule, wanted, grouping, rows)
    if not len(busy):
        return [], []
    slots = grouping.slots[busy]
    mine = _Latches(
        on=rows.on[slots, rule.latches],
        count=rows.count[slots, rule.latches],
        start=rows.start[slots, rule.latches],
        due=rows.due[slots, rule.latches],
        ended=rows.ended[slots, index],
    )
    flips = _settle(index, rule, wanted, context, grouping, busy, mine)
    patches = [
        Patch(name, slots, rule.latches, getattr(mine, name)) for name in ("on", "count", "start", "due")
    ]
    if flips:
        patches.append(Patch("ended", slots, slice(index, index + 1), mine.ended[:, None]))
    return flips, patches


def _busy(rule: Compiled, wanted: Wanted, grouping: Grouping, rows: Rows) -> Indices:
    """Return the devices where something holds or is pending: all others stay as they are."""
    on = rows.on[grouping.slots, rule.latches]
    busy: Bools = rows.count[grouping.slots, rule.latches].any(axis=1)
    for level, (rise, fall) in enumerate(zip(wanted.rise, wanted.fall, strict=True)):
        holds: Bools = np.asarray(rise == 1)
        if on[:, level].any():
            holds = np.where(on[:, level][grouping.group], np.asarray(fall == 1), holds)
        busy[grouping.group[holds]] = True
    return np.flatnonzero(busy)


def _settle(
    index: int,
    rule: Compiled,
    wanted: Wanted,
    context: Context,
    grouping: Grouping,
    busy: Indices,
    latches: _Latches,
) -> list[Flip]:
    flips: list[Flip] = []
    cursor, end = grouping.first[busy].copy(), grouping.last[busy] + 1
    live = np.arange(len(busy))
    while len(live):
        scan = _scan(rule, wanted, context, cursor[live], end[live], live, latches)
        hit = np.flatnonzero(scan.held.any(axis=1))
        # Each device's first row with a flip, or else its last row of the window.
        stop = scan.stop.copy()
        flipped, at = np.unique(scan.device[hit], return_index=True)
        stop[flipped] = hit[at]
        latches.count[live] = scan.count[stop]
        latches.start[live] = scan.start[stop]
        latches.due[live] = scan.due[stop]
        if len(flipped):
            where = stop[flipped]
            flips += _flip(index, scan.rows[where], context, scan.held[where], live[flipped], latches)
        cursor[live] = scan.rows[stop] + 1
        live = live[cursor[live] < end[live]]
    return flips


def _scan(
    rule: Compiled,
    wanted: Wanted,
    context: Context,
    cursor: Indices,
    end: Indices,
    live: Indices,
    latches: _Latches,
) -> _Scan:
    """Follow every run over the next rows of each device as if no latch flipped."""
    size = np.minimum(end - cursor, WINDOW)
    stop = np.cumsum(size) - 1
    device = np.repeat(np.arange(len(size)), size)
    first = (stop - size + 1)[device]
    position = np.arange(len(device))
    rows = position - first + cursor[device]
    at = context.observed_at[rows][:, None]
    owner = live[device]

    on = latches.on[owner]
    code = np.where(
        on,
        np.stack([fall[rows] for fall in wanted.fall], axis=1),
        np.stack([rise[rows] for rise in wanted.rise], axis=1),
    )
    late = wanted.late[rows] if wanted.late is not None else None
    if late is not None:
        raised = (code == 1) & late[:, None] & (at > latches.ended[owner][:, None])
        code[late] = np.nan
    ones, zeros = code == 1, code == 0

    place, first = position[:, None], first[:, None]
    one = np.maximum.accumulate(np.where(ones, place, -1), axis=0)
    zero = np.maximum.accumulate(np.where(zeros, place, -1), axis=0)
    one_before, zero_before = _shifted(one), _shifted(zero)
    until = at + _gap_us(rule, context, rows)[:, None]
    seen = one_before >= first
    due = np.where(seen, np.take_along_axis(until, np.maximum(one_before, 0), axis=0), latches.due[owner])
    fresh = np.where(seen, zero_before > one_before, (zero_before >= first) | (latches.count[owner] == 0))
    begin = np.maximum.accumulate(np.where(ones & (fresh | (at > due)), place, -1), axis=0)

    begun = begin >= first
    total = np.cumsum(ones, axis=0)
    from_row = np.where(begun, begin, first)
    since_row = (
        total - np.take_along_axis(total, from_row, axis=0) + np.take_along_axis(ones, from_row, axis=0)
    )
    count = np.where(begun, since_row, latches.count[owner] + since_row)
    start = np.where(begun, np.take_along_axis(at, np.maximum(begin, 0), axis=0), latches.start[owner])
    definition = rule.rule.definition
    readings = np.where(on, definition.keep_firing.readings, definition.hold.readings)
    lasting = np.where(on, definition.keep_firing.lasting_us, definition.hold.lasting_us)
    held = ones & (count >= readings) & (at - start >= lasting)
    if late is not None:
        held |= raised
    return _Scan(
        rows=rows,
        device=device,
        stop=stop,
        held=held,
        count=np.where((zero >= first) & (zero > one), 0, count),
        start=start,
        due=np.where(one >= first, np.take_along_axis(until, np.maximum(one, 0), axis=0), latches.due[owner]),
    )


def _shifted(latest: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the same as of the row before."""
    before = np.full_like(latest, -1)
    before[1:] = latest[:-1]
    return before


def _gap_us(rule: Compiled, context: Context, rows: Indices) -> Instants:
    gap = rule.rule.definition.max_gap
    if not gap.intervals:
        return np.full(len(rows), gap.fixed_us, dtype=np.int64)
    return (gap.intervals * context.interval_us()[rows]).astype(np.int64) + gap.fixed_us


def _flip(
    index: int, row: Indices, context: Context, held: Bools, device: Indices, latches: _Latches
) -> list[Flip]:
    """Set the latches of one rule to its new level: all up to it on, all above it off."""
    was = latches.on[device]
    observed_at = context.observed_at[row]
    before = _level(was)
    after = _level(was ^ held)
    after[held[:, 0] & was[:, 0]] = -1
    now = np.arange(was.shape[1]) <= after[:, None]
    first = held.argmax(axis=1)
    run_length = latches.count[device, first]
    # A late reading that raises has no run: it is its own beginning.
    since = np.where(run_length > 0, latches.start[device, first], observed_at)
    latches.count[device] = np.where(held | (now != was), 0, latches.count[device])
    latches.on[device] = now
    ended = (before >= 0) & (after < 0)
    latches.ended[device[ended]] = observed_at[ended]
    changed = np.flatnonzero(before != after)
    return [Flip(int(row[i]), index, int(before[i]), int(after[i]), int(since[i])) for i in changed]


def _level(on: Bools) -> Indices:
    """Return the highest level that is on, -1 when none is."""
    top = on.shape[1] - 1 - on[:, ::-1].argmax(axis=1)
    return np.where(on.any(axis=1), top, -1)
