"""The state machine: a level turns on or off (flips) once its condition has held long enough in event time.

One rule at a time, over all rows of its busy devices at once. A device where no condition holds and no run
is under way is skipped: nothing can change there. Between flips everything is scans over rows; after a flip
the rows of that device behind it are scanned again. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.context.context import RuleContext
from rules.context.grouping import Grouping
from rules.context.memory.view import uninterrupted_until
from rules.context.patch import Patch
from rules.context.truth import Truth
from rules.definition.definition import Definition
from rules.engine.state import StateRows
from rules.language.program import CompiledRule

Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]
Instants = NDArray[np.int64]

WINDOW, WIDEST = 96, 8192
"""Rows of one device that are scanned at once, after a flip and at most: those behind a flip are repeated."""


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
class LevelConditions:
    """What turns each level on (rise) and off (fall), lowest level first, each (n,): 1, 0, NaN undecided.

    late: (n,) late rows, None when there are none; fall is undecided on them, and so is rise unless the rule
    raises late.
    """

    rise: list[Truth]
    fall: list[Truth]
    late: Bools | None


@dataclass(slots=True, kw_only=True)
class _LevelState:
    """The levels of one rule on k devices, (k, levels); ended is (k,). See rules.engine.state."""

    on: Bools
    count: NDArray[np.int32]
    start: Instants
    due: Instants
    ended: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class _StepRows:
    """What all scans of one rule read of n rows: rise and fall (n, levels), observed_at, until when a run

    that includes the row stays uninterrupted.
    """

    definition: Definition
    rise: Truth
    fall: Truth
    late: Bools | None
    at: Instants
    until: Instants


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """m rows of k devices, those of a device beside each other.

    device: (m,) 0..k-1. stop: (k,) position of each device's last row. held: (m, levels) whether the level
    flips there. count, start, due: (m, levels) as of each row.
    """

    rows: Indices
    device: Indices
    stop: Indices
    held: Bools
    count: NDArray[np.int64]
    start: Instants
    due: Instants


def active_levels(grouping: Grouping, rows: StateRows) -> Bools:
    """Tell of every level of a program whether it is on, or in a run, on any device of the step."""
    state_rows = grouping.state_rows
    busy: Bools = rows.on.T.take(state_rows, axis=1) | (rows.count.T.take(state_rows, axis=1) > 0)
    return np.asarray(busy.any(axis=1))


def run(
    index: int,
    rule: CompiledRule,
    conditions: LevelConditions,
    context: RuleContext,
    grouping: Grouping,
    rows: StateRows,
) -> tuple[list[LevelChange], list[Patch]]:
    """Advance one rule over all rows.

    Args:
        rows: the state, which is not altered.
    """
    busy = _busy(rule, conditions, grouping, rows)
    if not len(busy):
        return [], []
    state_rows = grouping.state_rows[busy]
    levels = _LevelState(
        on=rows.on[state_rows, rule.level_columns],
        count=rows.count[state_rows, rule.level_columns],
        start=rows.start[state_rows, rule.level_columns],
        due=rows.due[state_rows, rule.level_columns],
        ended=rows.ended[state_rows, index],
    )
    step = _StepRows(
        definition=rule.rule.definition,
        rise=np.stack(conditions.rise, axis=1),
        fall=np.stack(conditions.fall, axis=1),
        late=conditions.late,
        at=context.observed_at,
        until=uninterrupted_until(rule.rule.definition.max_gap, context),
    )
    flips = _settle(index, step, grouping.first[busy], grouping.last[busy] + 1, levels)
    patches = [
        Patch(name, state_rows, rule.level_columns, getattr(levels, name))
        for name in ("on", "count", "start", "due")
    ]
    if flips:
        patches.append(Patch("ended", state_rows, slice(index, index + 1), levels.ended[:, None]))
    return flips, patches


def _busy(rule: CompiledRule, conditions: LevelConditions, grouping: Grouping, rows: StateRows) -> Indices:
    """Return the devices where a condition holds or a run is under way: all others stay as they are."""
    on = rows.on[grouping.state_rows, rule.level_columns]
    busy: Bools = np.asarray(rows.count[grouping.state_rows, rule.level_columns].any(axis=1))
    for level, (rise, fall) in enumerate(zip(conditions.rise, conditions.fall, strict=True)):
        is_on = on[:, level]
        condition = np.where(is_on[grouping.group], fall, rise) if is_on.any() else rise
        busy[grouping.group[condition == 1]] = True
    return np.flatnonzero(busy)


def _settle(
    index: int, step: _StepRows, cursor: Indices, end: Indices, levels: _LevelState
) -> list[LevelChange]:
    """Go over all rows from `cursor` to `end` of each device; alters `levels`."""
    flips: list[LevelChange] = []
    active, window = np.arange(len(cursor)), WINDOW
    while len(active):
        scan = _scan(step, cursor[active], np.minimum(end[active], cursor[active] + window), active, levels)
        hit = np.flatnonzero(scan.held.any(axis=1))
        # Each device's first row with a flip, or else its last row of the window.
        stop = scan.stop.copy()
        if len(hit):
            flipped = scan.device[hit]
            first = np.ones(len(hit), dtype=np.bool_)
            first[1:] = flipped[1:] != flipped[:-1]
            hit, flipped = hit[first], flipped[first]
            stop[flipped] = hit
        levels.count[active] = scan.count[stop]
        levels.start[active] = scan.start[stop]
        levels.due[active] = scan.due[stop]
        if len(hit):
            row = scan.rows[hit]
            flips += _flip(index, row, step.at[row], scan.held[hit], active[flipped], levels)
        window = WINDOW if len(hit) else min(4 * window, WIDEST)
        cursor[active] = scan.rows[stop] + 1
        active = active[cursor[active] < end[active]]
    return flips


def _scan(step: _StepRows, cursor: Indices, end: Indices, active: Indices, levels: _LevelState) -> _Scan:
    """Follow every run over the next rows of each device as if no level flipped."""
    size = end - cursor
    stop = np.cumsum(size) - 1
    device = np.repeat(np.arange(len(size)), size)
    begins = (stop - size + 1)[device]
    position = np.arange(len(device))
    rows = position - begins + cursor[device]
    at, until, owner = step.at[rows], step.until[rows], active[device]

    on, waiting = levels.on[owner], levels.count[owner]
    code = np.where(on, step.fall[rows], step.rise[rows])
    late = step.late[rows] if step.late is not None else None
    if late is not None:
        raised = (code == 1) & late[:, None] & (at > levels.ended[owner])[:, None]
        code[late] = np.nan
    ones, zeros = code == 1, code == 0

    here, first, now = position[:, None], begins[:, None], at[:, None]
    one = np.maximum.accumulate(np.where(ones, here, -1), axis=0)
    zero = np.maximum.accumulate(np.where(zeros, here, -1), axis=0)
    one_before, zero_before = _shifted(one), _shifted(zero)
    due = np.where(one_before >= first, until[one_before], levels.due[owner])
    ended = np.where(one_before >= first, zero_before > one_before, (zero_before >= first) | (waiting == 0))
    begin = np.maximum.accumulate(np.where(ones & (ended | (now > due)), here, -1), axis=0)

    begun = begin >= first
    total = np.cumsum(ones, axis=0)
    from_row, level = np.where(begun, begin, first), np.arange(ones.shape[1])
    count = total - total[from_row, level] + ones[from_row, level] + np.where(begun, 0, waiting)
    start = np.where(begun, at[begin], levels.start[owner])
    rise, fall = step.definition.hold, step.definition.keep_firing
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
        due=np.where(one >= first, until[one], levels.due[owner]),
    )


def _shifted(latest: Indices) -> Indices:
    """Return the same as of the row before."""
    before = np.full_like(latest, -1)
    before[1:] = latest[:-1]
    return before


def _flip(
    index: int, row: Indices, observed_at: Instants, held: Bools, device: Indices, levels: _LevelState
) -> list[LevelChange]:
    """Set the levels of one rule: all up to the new one on, all above it off."""
    was = levels.on[device]
    before = _level(was)
    after = _level(was ^ held)
    after[held[:, 0] & was[:, 0]] = -1
    now = np.arange(was.shape[1]) <= after[:, None]
    first = held.argmax(axis=1)
    # A late reading that raises has no run: its own instant counts.
    since = np.where(levels.count[device, first] > 0, levels.start[device, first], observed_at)
    levels.count[device] = np.where(held | (now != was), 0, levels.count[device])
    levels.on[device] = now
    ended = (before >= 0) & (after < 0)
    levels.ended[device[ended]] = observed_at[ended]
    changed = np.flatnonzero(before != after)
    return [LevelChange(int(row[i]), index, int(before[i]), int(after[i]), int(since[i])) for i in changed]


def _level(on: Bools) -> Indices:
    """Return the highest level that is on, -1 when none is."""
    top = on.shape[1] - 1 - on[:, ::-1].argmax(axis=1)
    return np.where(on.any(axis=1), top, -1)
