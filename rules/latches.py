"""The state machine: latches that flip once what they wait for has held long enough in event time.

All latches of all rules move together, one reading per device at a time. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rules.context import Context
from rules.grouping import Grouping
from rules.program import Compiled, Program
from rules.state import Rows

Bools = NDArray[np.bool_]
Codes = NDArray[np.int8]
Instants = NDArray[np.int64]


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


def run(
    program: Program,
    grouping: Grouping,
    context: Context,
    late: Bools,
    rise: Codes,
    fall: Codes,
    rows: Rows,
) -> list[Flip]:
    """Advance `rows` (one per device) over all readings and return what changed.

    rise, fall: (n, latches) what a latch waits for while off and while on: 1 true, 0 false, -1 undecided.
    """
    flips: list[Flip] = []
    if not program.latch_count:
        return flips
    any_late = bool(late.any())
    until = _until(program, context)
    for row in grouping.rounds():
        owner = grouping.group[row]
        at, wanted = context.observed_at[row], (rise[row], fall[row])
        held = _advance(program, at, until[row], late[row], wanted, owner, rows)
        if any_late:
            _forget_old_news(program, at, late[row], held, owner, rows)
        if held.any():
            flips += _flip(program, row, at, held, owner, rows)
    return flips


def _until(program: Program, context: Context) -> Instants:
    """Return until when each reading's run stays uninterrupted, (n, latches)."""
    intervals = context.interval_us()[:, None] * program.gap_intervals
    until: Instants = context.observed_at[:, None] + program.gap_us + intervals.astype(np.int64)
    return until


def _advance(
    program: Program,
    observed_at: Instants,
    until: Instants,
    late: Bools,
    wanted: tuple[Codes, Codes],
    owner: NDArray[np.intp],
    rows: Rows,
) -> Bools:
    """Count one reading of each owner in; return which latches have what they waited for, (m, latches)."""
    at = observed_at[:, None]
    on = rows.on[owner]
    rise, fall = wanted
    code = np.where(on, fall, rise)
    decided, holds = code >= 0, code == 1
    count = rows.count[owner]
    start = rows.start[owner]
    due = rows.due[owner]
    begins = holds & ((count == 0) | (at > due))
    start = np.where(begins, at, start)
    count = np.where(begins, 1, count + holds)
    count[code == 0] = 0
    rows.start[owner] = start
    rows.count[owner] = count
    rows.due[owner] = np.where(decided & ~late[:, None], until, due)
    readings = np.where(on, program.fall_readings, program.rise_readings)
    lasting = np.where(on, program.fall_us, program.rise_us)
    held: Bools = holds & (count >= readings) & (at - start >= lasting)
    return held


def _forget_old_news(
    program: Program, observed_at: Instants, late: Bools, held: Bools, owner: NDArray[np.intp], rows: Rows
) -> None:
    """A late reading from before the last resolution tells nothing new: that alert has come and gone."""
    for index, rule in enumerate(program.rules):
        old = late & (observed_at <= rows.ended[owner, index])
        if old.any():
            held[old, rule.latches] = False
            rows.count[owner[old], rule.latches] = 0


def _flip(
    program: Program,
    row: NDArray[np.intp],
    at: Instants,
    held: Bools,
    owner: NDArray[np.intp],
    rows: Rows,
) -> list[Flip]:
    flips: list[Flip] = []
    for index, rule in enumerate(program.rules):
        hit = np.flatnonzero(held[:, rule.latches].any(axis=1))
        if len(hit):
            mine = held[hit, rule.latches]
            flips += _flip_rule(index, rule, row[hit], at[hit], mine, owner[hit], rows)
    return flips


def _flip_rule(
    index: int,
    rule: Compiled,
    row: NDArray[np.intp],
    observed_at: Instants,
    held: Bools,
    owner: NDArray[np.intp],
    rows: Rows,
) -> list[Flip]:
    """Set the latches of one rule to its new level: all up to it on, all above it off."""
    was = rows.on[owner, rule.latches]
    before = _level(was)
    after = _level(was ^ held)
    after[held[:, 0] & was[:, 0]] = -1
    now = np.arange(was.shape[1]) <= after[:, None]
    since = rows.start[owner, rule.latches][np.arange(len(owner)), held.argmax(axis=1)]
    count = rows.count[owner, rule.latches]
    count[held | (now != was)] = 0
    rows.count[owner, rule.latches] = count
    rows.on[owner, rule.latches] = now
    ended = (before >= 0) & (after < 0)
    rows.ended[owner[ended], index] = observed_at[ended]
    changed = np.flatnonzero(before != after)
    return [Flip(int(row[i]), index, int(before[i]), int(after[i]), int(since[i])) for i in changed]


def _level(on: Bools) -> NDArray[np.intp]:
    """Return the highest level that is on, -1 when none is."""
    top = on.shape[1] - 1 - on[:, ::-1].argmax(axis=1)
    return np.where(on.any(axis=1), top, -1)
