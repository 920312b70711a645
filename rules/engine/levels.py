"""The state machine: latches that flip once what they wait for has held long enough in event time.

One rule at a time, over all rows of all its busy devices at once: devices where nothing holds and nothing
is pending are settled without being looked at. Between flips everything is scans over rows; a flip starts
the scan anew behind it, for that device alone. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.context.context import RuleContext
from rules.context.grouping import Grouping
from rules.context.patch import Patch
from rules.context.truth import Truth
from rules.definition.definition import Definition, MaxGap
from rules.engine.state import StateRows
from rules.language.program import Compiled

Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Instants = NDArray[np.int64]

WINDOW, WIDEST = 96, 8192
"""Rows of one device that are scanned at once, after a flip and in the end: what may be scanned again."""


@dataclass(frozen=True, slots=True)
class LevelChange:
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
    """The latches of one rule on k devices, (k, levels); ended is (k,). See rules.engine.state."""

    on: Bools
    count: NDArray[np.int32]
    start: Instants
    due: Instants
    ended: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What all scans of one rule go over: n rows; what is wanted as (n, levels), instants, ends of runs."""

    definition: Definition
    rise: Truth
    fall: Truth
    late: Bools | None
    at: Instants
    until: Instants


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


def waiting(grouping: Grouping, rows: StateRows) -> Bools:
    """Tell of every latch of a program whether it is on, or in a run, on any device of the step."""
    slots = grouping.slots
    busy: Bools = rows.on.T.take(slots, axis=1) | (rows.count.T.take(slots, axis=1) > 0)
    return np.asarray(busy.any(axis=1))


def run(
    index: int, rule: Compiled, wanted: Wanted, context: RuleContext, grouping: Grouping, rows: StateRows
) -> tuple[list[LevelChange], list[Patch]]:
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
    ground = _Ground(
        definition=rule.rule.definition,
        rise=np.stack(wanted.rise, axis=1),
        fall=np.stack(wanted.fall, axis=1),
        late=wanted.late,
        at=context.observed_at,
        until=_until(rule.rule.definition.max_gap, context),
    )
    flips = _settle(index, ground, grouping.first[busy], grouping.last[busy] + 1, mine)
    patches = [
        Patch(name, slots, rule.latches, getattr(mine, name)) for name in ("on", "count", "start", "due")
    ]
    if flips:
        patches.append(Patch("ended", slots, slice(index, index + 1), mine.ended[:, None]))
    return flips, patches


def _busy(rule: Compiled, wanted: Wanted, grouping: Grouping, rows: StateRows) -> Indices:
    """Return the devices where something holds or is pending: all others stay as they are."""
    on = rows.on[grouping.slots, rule.latches]
    busy: Bools = np.asarray(rows.count[grouping.slots, rule.latches].any(axis=1))
    for level, (rise, fall) in enumerate(zip(wanted.rise, wanted.fall, strict=True)):
        lit = on[:, level]
        waits = np.where(lit[grouping.group], fall, rise) if lit.any() else rise
        busy[grouping.group[waits == 1]] = True
    return np.flatnonzero(busy)


def _until(gap: MaxGap, context: RuleContext) -> Instants:
    """Return until when each row's run stays uninterrupted."""
    until: Instants = context.observed_at + gap.fixed_us
    return until + (gap.intervals * context.interval_us()).astype(np.int64) if gap.intervals else until


def _settle(
    index: int, ground: _Ground, cursor: Indices, end: Indices, latches: _Latches
) -> list[LevelChange]:
    """Go over all rows from `cursor` to `end` of each device."""
    flips: list[LevelChange] = []
    live, window = np.arange(len(cursor)), WINDOW
    while len(live):
        scan = _scan(ground, cursor[live], np.minimum(end[live], cursor[live] + window), live, latches)
        hit = np.flatnonzero(scan.held.any(axis=1))
        # Each device's first row with a flip, or else its last row of the window.
        stop = scan.stop.copy()
        if len(hit):
            flipped = scan.device[hit]
            first = np.ones(len(hit), dtype=np.bool_)
            first[1:] = flipped[1:] != flipped[:-1]
            hit, flipped = hit[first], flipped[first]
            stop[flipped] = hit
        latches.count[live] = scan.count[stop]
        latches.start[live] = scan.start[stop]
        latches.due[live] = scan.due[stop]
        if len(hit):
            row = scan.rows[hit]
            flips += _flip(index, row, ground.at[row], scan.held[hit], live[flipped], latches)
        window = WINDOW if len(hit) else min(4 * window, WIDEST)
        cursor[live] = scan.rows[stop] + 1
        live = live[cursor[live] < end[live]]
    return flips


def _scan(ground: _Ground, cursor: Indices, end: Indices, live: Indices, latches: _Latches) -> _Scan:
    """Follow every run over the next rows of each device as if no latch flipped."""
    size = end - cursor
    stop = np.cumsum(size) - 1
    device = np.repeat(np.arange(len(size)), size)
    begins = (stop - size + 1)[device]
    position = np.arange(len(device))
    rows = position - begins + cursor[device]
    at, until, owner = ground.at[rows], ground.until[rows], live[device]

    on, waiting = latches.on[owner], latches.count[owner]
    code = np.where(on, ground.fall[rows], ground.rise[rows])
    late = ground.late[rows] if ground.late is not None else None
    if late is not None:
        raised = (code == 1) & late[:, None] & (at > latches.ended[owner])[:, None]
        code[late] = np.nan
    ones, zeros = code == 1, code == 0

    place, first, now = position[:, None], begins[:, None], at[:, None]
    one = np.maximum.accumulate(np.where(ones, place, -1), axis=0)
    zero = np.maximum.accumulate(np.where(zeros, place, -1), axis=0)
    one_before, zero_before = _shifted(one), _shifted(zero)
    due = np.where(one_before >= first, until[one_before], latches.due[owner])
    ended = np.where(one_before >= first, zero_before > one_before, (zero_before >= first) | (waiting == 0))
    begin = np.maximum.accumulate(np.where(ones & (ended | (now > due)), place, -1), axis=0)

    begun = begin >= first
    total = np.cumsum(ones, axis=0)
    from_row, level = np.where(begun, begin, first), np.arange(ones.shape[1])
    count = total - total[from_row, level] + ones[from_row, level] + np.where(begun, 0, waiting)
    start = np.where(begun, at[begin], latches.start[owner])
    rise, fall = ground.definition.hold, ground.definition.keep_firing
    held = ones & (count >= np.where(on, fall.readings, rise.readings))
    held &= now - start >= np.where(on, fall.lasting_us, rise.lasting_us)
    if late is not None:
        held |= raised
    return _Scan(
        rows=rows,
        device=device,
        stop=stop,
        held=held,
        count=np.where((zero >= first) & (zero > one), 0, count),
        start=start,
        due=np.where(one >= first, until[one], latches.due[owner]),
    )


def _shifted(latest: Indices) -> Indices:
    """Return the same as of the row before."""
    before = np.full_like(latest, -1)
    before[1:] = latest[:-1]
    return before


def _flip(
    index: int, row: Indices, observed_at: Instants, held: Bools, device: Indices, latches: _Latches
) -> list[LevelChange]:
    """Set the latches of one rule to its new level: all up to it on, all above it off."""
    was = latches.on[device]
    before = _level(was)
    after = _level(was ^ held)
    after[held[:, 0] & was[:, 0]] = -1
    now = np.arange(was.shape[1]) <= after[:, None]
    first = held.argmax(axis=1)
    # A late reading that raises has no run: it is its own beginning.
    since = np.where(latches.count[device, first] > 0, latches.start[device, first], observed_at)
    latches.count[device] = np.where(held | (now != was), 0, latches.count[device])
    latches.on[device] = now
    ended = (before >= 0) & (after < 0)
    latches.ended[device[ended]] = observed_at[ended]
    changed = np.flatnonzero(before != after)
    return [LevelChange(int(row[i]), index, int(before[i]), int(after[i]), int(since[i])) for i in changed]


def _level(on: Bools) -> Indices:
    """Return the highest level that is on, -1 when none is."""
    top = on.shape[1] - 1 - on[:, ::-1].argmax(axis=1)
    return np.where(on.any(axis=1), top, -1)
