"""How long a value has not changed: computes flat() and frozen().

A run of readings is flat while all of them lie within a tolerance of each other; the first that does not
begins the next run. Constant size per device: the run's lowest and highest value, and when it began. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rules.context.memory.view import Bools, DecidedRows, Floats, HistoryView, Instants, Rows, track
from rules.definition.definition import Hold

CELLS = (2, 5)
"""Numbers and instants remembered: lowest, highest; last, until, begun, readings, begun after a gap.

Counted are the readings of the run."""
_BEGUN, _READINGS, _DARK = 2, 3, 4
PROOF = 12
"""So many readings prove a standstill of whatever length; two that are equal by chance do not."""
RARE_PROOF = 5
"""Readings that a device needs which reports more rarely than its kind, and than the window is long."""
THINNED = 2.5
"""Fewer prove it where the kind itself sends fewer in the window, even if so many times less come through."""


@dataclass(slots=True, kw_only=True)
class _Steps:
    """The decided rows, each device's run of before merged into its first row. All (k,).

    low, high: what the run reaches at that row alone. fresh: certainly not the same run as the row before.
    """

    low: Floats
    high: Floats
    fresh: Bools


def flat(
    view: HistoryView, value: Floats, window: Hold, tolerance: float, turn: float | None = None
) -> Floats:
    """Tell of each row whether its value has stayed within the tolerance for the whole window.

    A window of time needs readings in it, too: twelve, or what the kind sends in two fifths of that time.
    A run that began after a gap, or with the first reading, is undecided until it is long enough: the value
    may have been the same before. One that began because the value changed is not flat until then.

    Args:
        turn: once around, where the value is a place of a circle.
    """
    result = view.blank()
    found = track(view, ~np.isnan(value))
    if found is None:
        return result
    mine = value[found.rows]
    if turn is not None:
        mine = _unrolled(view, found, mine, turn)
    steps = _steps(view, found, mine, tolerance)
    # A device's first row that carries a run on counts as its beginning here.
    begin = found.since(_split(steps, steps.fresh | found.first, tolerance))
    carried = np.flatnonzero(found.first & ~steps.fresh)
    state_rows = found.whose[carried]
    since, unknown = found.at.copy(), found.gap.copy()
    since[carried], unknown[carried] = view.instant(_BEGUN, state_rows), view.instant(_DARK, state_rows)
    start, dark = since[begin], unknown[begin]
    before = np.zeros(len(begin), dtype=np.int64)
    before[carried] = view.instant(_READINGS, state_rows)
    readings = np.arange(len(begin)) - begin + 1 + before[begin]
    view.keep_instant(_READINGS, found.owners, readings[found.last])
    long_enough = (found.at - start >= window.lasting_us) & (readings >= _needed(view, found, window))
    result[found.rows] = np.where(long_enough, 1.0, np.where(dark, np.nan, 0.0))
    low, high = _reach(found, steps, begin, tolerance)
    view.keep_value(0, found.owners, low)
    view.keep_value(1, found.owners, high)
    found.remember(view)
    view.keep_instant(_BEGUN, found.owners, start[found.last])
    view.keep_instant(_DARK, found.owners, dark[found.last])
    return result


def _needed(view: HistoryView, found: DecidedRows, window: Hold) -> Instants | int:
    """Return how many readings a run must have, (k,) or one number for all.

    Whoever reports once a day needs days for what others prove in hours: by the kind's own interval, not the
    device's. Where a window passes between two readings, some that are equal by chance prove nothing.
    """
    if window.readings > 1 or not window.lasting_us:
        return window.readings
    usual = view.context.usual_us()[found.rows]
    own = view.context.interval_us()[found.rows]
    needed = np.clip((window.lasting_us / (THINNED * usual)).astype(np.int64), 1, PROOF)
    rare = (own >= window.lasting_us) & (own > THINNED * usual)
    return np.where(rare, np.maximum(needed, RARE_PROOF), needed)


def _unrolled(view: HistoryView, found: DecidedRows, value: Floats, turn: float) -> Floats:
    """Return places of a circle as lengths along it, each nearest to the one before of its device."""
    before = np.append(np.nan, value[:-1])
    middle = (view.value(0, found.owners) + view.value(1, found.owners)) / 2
    before[found.first] = np.where(found.gap[found.first], np.nan, middle)
    turns = -np.rint(np.nan_to_num((value - before) / turn)).astype(np.int64)
    total = np.cumsum(turns)
    begin = found.since(found.first)
    unrolled: Floats = value + turn * (total - total[begin] + turns[begin])
    return unrolled


def _steps(view: HistoryView, found: DecidedRows, value: Floats, tolerance: float) -> _Steps:
    if not tolerance:
        before = np.empty_like(value)
        before[1:] = value[:-1]
        before[found.first] = view.value(0, found.owners)
        return _Steps(low=value, high=value, fresh=found.gap | (value != before))
    low, high = value.copy(), value.copy()
    head = found.first & ~found.gap
    low[head] = np.minimum(value[head], view.value(0, found.whose[head]))
    high[head] = np.maximum(value[head], view.value(1, found.whose[head]))
    fresh = found.gap.copy()
    fresh[head] = high[head] - low[head] > tolerance
    low[head & fresh], high[head & fresh] = value[head & fresh], value[head & fresh]
    inner = ~found.first & ~found.gap
    moved = np.zeros(len(value), dtype=np.bool_)
    moved[1:] = np.maximum(high[1:], high[:-1]) - np.minimum(low[1:], low[:-1]) > tolerance
    fresh |= inner & moved
    return _Steps(low=low, high=high, fresh=fresh)


def _split(steps: _Steps, begins: Bools, tolerance: float) -> Bools:
    """Divide blocks in which small steps add up to more than the tolerance."""
    if not tolerance:
        return begins
    first = np.flatnonzero(begins)
    wide = np.maximum.reduceat(steps.high, first) - np.minimum.reduceat(steps.low, first) > tolerance
    if not wide.any():
        return begins
    size = np.diff(np.append(first, len(begins)))
    rows = np.flatnonzero(np.repeat(wide, size))
    local = np.cumsum(size[wide]) - size[wide]
    following = _next_run(
        steps.low[rows], steps.high[rows], np.repeat(local + size[wide], size[wide]), tolerance
    )
    reached = _reached(following, local)
    begins = begins.copy()
    begins[rows[reached]] = True
    return begins


def _next_run(low: Floats, high: Floats, stop: Rows, tolerance: float) -> Rows:
    """Return, of each row, where the run that began there would end; by doubling the stride."""
    n = len(low)
    lows, highs = [low], [high]
    while 2 ** len(lows) <= int((stop - np.arange(n)).max()):
        half = 2 ** (len(lows) - 1)
        later = np.minimum(np.arange(n) + half, n - 1)
        lows.append(np.minimum(lows[-1], lows[-1][later]))
        highs.append(np.maximum(highs[-1], highs[-1][later]))
    at, bottom, top = np.arange(n), low.copy(), high.copy()
    for level in range(len(lows) - 1, -1, -1):
        ahead = np.minimum(at, n - 1)
        wider_low, wider_high = np.minimum(bottom, lows[level][ahead]), np.maximum(top, highs[level][ahead])
        fits = (at + 2**level <= stop) & (wider_high - wider_low <= tolerance)
        at = np.where(fits, at + 2**level, at)
        bottom, top = np.where(fits, wider_low, bottom), np.where(fits, wider_high, top)
    return at


def _reached(following: Rows, begin: Rows) -> Bools:
    """Return which rows are met by going from run to run, starting at the given ones."""
    n = len(following)
    jump = np.append(following, n)
    reached = np.zeros(n + 1, dtype=np.bool_)
    reached[begin] = True
    for _ in range(max(1, n.bit_length())):
        reached[jump[reached]] = True
        jump = jump[jump]
    return reached[:n]


def _reach(found: DecidedRows, steps: _Steps, begin: Rows, tolerance: float) -> tuple[Floats, Floats]:
    """Return the lowest and highest of each device's last run."""
    if not tolerance:
        return steps.low[found.last], steps.high[found.last]
    # From its beginning in this step to the last row.
    bounds = np.stack([begin[found.last], found.last + 1], axis=1).ravel()
    low, high = np.append(steps.low, 0.0), np.append(steps.high, 0.0)
    return np.minimum.reduceat(low, bounds)[::2], np.maximum.reduceat(high, bounds)[::2]
