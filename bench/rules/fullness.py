"""When bins would truly be full if nobody emptied them: the labels of a forecast, from the simulator's truth.

A forecast promises what happens without a truck, and a truck may come: so the true time to full at an
instant is counted from what people go on throwing in, whether the bin is emptied or not. What nobody can
foresee (a bin that falls over, burns, stands unused) is replaced by what it gets at that hour otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from firmware_sim.faults import SWEPT, FaultLine, rfc3339
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.model import DAY_S, HOUR_S, SECOND
from firmware_sim.physics.thermometer import MeasuredBin

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

RULE = "bin-full-soon"
FULL_PCT = 85.0
SOON_S, ALMOST_SOON_S = 24 * HOUR_S, 30 * HOUR_S
"""What "within a day" means, and what an alert may be about: nobody knows what people will throw in."""
_STEP_US = 300 * SECOND
_NOT_IN_USE = ("unused", "lean", "tipped", "smoulder", "fire")
_SETTLES_PCT = 6.0
_LOOKING_S = 30 * 60.0
"""How often the forecast looks at a bin: its reporting interval as far as labels go."""
_LONG_UNSEEN_US = round(6 * HOUR_S * SECOND)
_LEARNS_US = round(DAY_S * SECOND)
"""Of a bin that was never seen before, or not for long, nobody knows for a day how fast it fills."""


class TracedBin(SurroundedDevice[MeasuredBin]):
    """A bin whose true fill is written down at every step."""

    def __init__(self, container: MeasuredBin) -> None:
        super().__init__(container)
        self._away: set[str] = set()
        self._rows: list[tuple[int, float, bool, bool]] = []

    @property
    def container(self) -> MeasuredBin:
        """The bin itself."""
        return self._inner

    def step(self, now: int) -> bool:
        """Live until `now`; True when something is reported at once."""
        urgent = self._inner.step(now)
        self._rows.append((now, self._inner.fill_pct, bool(self._away), self._inner.blind))
        return urgent

    def begin(self, cause: str) -> None:
        """Break something, and note whether people can still use it."""
        if cause in _NOT_IN_USE:
            self._away.add(cause)
        self._inner.begin(cause)

    def end(self, cause: str) -> None:
        """Repair it."""
        self._away.discard(cause)
        self._inner.end(cause)

    def trace(self) -> FillTrace:
        """Return what was written down, in steps of five minutes."""
        at = np.array([r[0] for r in self._rows], dtype=np.int64)
        last = np.append(np.flatnonzero(np.diff(at // _STEP_US)), len(at) - 1)
        rows = [self._rows[i] for i in last.tolist()]
        return FillTrace(
            at=at[last],
            fill_pct=np.array([r[1] for r in rows]),
            away=np.array([r[2] for r in rows], dtype=bool),
            blind=np.array([r[3] for r in rows], dtype=bool),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FillTrace:
    """The life of one bin, (n,) each: microseconds, true fill, whether nobody used it, or it was blind."""

    at: Ints
    fill_pct: Floats
    away: Bools
    blind: Bools


def brought_pct(trace: FillTrace) -> Floats:
    """Return what had been thrown in by each instant, (n,), less what settled, in points of fill."""
    change = np.diff(trace.fill_pct)
    settled = (change < 0) & (change > -_SETTLES_PCT) & (trace.fill_pct[:-1] > 20.0)
    gained = np.where((change > 0) | settled, change, 0.0)
    used = ~trace.away[1:]
    hour = trace.at[1:] // round(HOUR_S * SECOND) % 24
    passed = np.diff(trace.at)
    by_hour = np.bincount(hour, gained * used, 24) / np.maximum(np.bincount(hour, passed * used, 24), 1)
    steps = np.where(used, gained, by_hour[hour] * passed)
    return np.concatenate([[0.0], np.cumsum(steps)])


def time_to_full_s(trace: FillTrace) -> Floats:
    """Return after how long each bin would be full if nobody emptied it from then on, (n,); 0: it is.

    Beyond the end of the trace it goes on filling at its mean rate.
    """
    brought = brought_pct(trace)
    rate = max(1e-12, brought[-1] / max(1, trace.at[-1] - trace.at[0]))
    highest = np.maximum.accumulate(brought)
    wanted = brought + FULL_PCT - trace.fill_pct
    first = np.searchsorted(highest, wanted)
    # Waste that settled since an earlier peak: that peak is not what comes.
    for i in np.flatnonzero((first <= np.arange(len(brought))) & (trace.fill_pct < FULL_PCT)).tolist():
        after = np.flatnonzero(brought[i:] >= wanted[i])
        first[i] = i + after[0] if len(after) else len(brought)
    beyond = trace.at[-1] + np.maximum(0.0, wanted - brought[-1]) / rate
    full_at = np.where(first < len(brought), trace.at[np.minimum(first, len(brought) - 1)], beyond)
    return np.where(trace.fill_pct >= FULL_PCT, 0.0, np.maximum(0.0, full_at - trace.at) / SECOND)


def labels(device: str, trace: FillTrace, others: Sequence[tuple[int, int]]) -> list[FaultLine]:
    """Return from when to when a bin would be full within a day.

    An alert is honest while thirty hours are left or less. It must be told if for ten hours on end the bin
    would be full within a day, and was in sight: the night is left then to plan the next round.

    Args:
        others: spans in which its readings told nothing: silence, frozen values, a clock that is wrong.
    """
    if len(trace.at) < 2:
        return []
    left_s = time_to_full_s(trace)
    unseen = trace.blind | trace.away
    for start, end in others:
        unseen |= (trace.at >= start) & (trace.at <= end)
    fresh = _fresh(trace.at, unseen)
    found = []
    for start, end, again in _spans(left_s, _long(trace.at, unseen)):
        untold = np.ones(len(fresh), dtype=bool) if again else fresh | unseen
        found.append(_line(device, trace, left_s, untold, start, end))
    return found


def _fresh(at: Ints, unseen: Bools) -> Bools:
    """Tell when it has not been seen for a day yet, since the beginning or since it was long unseen."""
    fresh: Bools = at < at[0] + _LEARNS_US
    ends = np.flatnonzero(_long(at, unseen)[:-1] & ~_long(at, unseen)[1:])
    for i in ends.tolist():
        fresh |= (at >= at[i]) & (at < at[i] + _LEARNS_US)
    return fresh


def _long(at: Ints, unseen: Bools) -> Bools:
    """Return the unseen spans that last for hours."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], unseen, [False]]).astype(np.int8)))
    long = np.zeros(len(at), dtype=bool)
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if at[min(end, len(at) - 1)] - at[start] >= _LONG_UNSEEN_US:
            long[start:end] = True
    return long


def _spans(left_s: Floats, long_unseen: Bools) -> list[tuple[int, int, bool]]:
    """Return from where to where a bin is about to be full, split where it came into sight again.

    The third tells of what comes after such a split: an alert may be open still, or again.
    """
    spans = []
    start: int | None = None
    again = False
    for i in range(len(left_s)):
        seen_again = i > 0 and bool(long_unseen[i - 1]) and not long_unseen[i]
        if start is not None and (left_s[i] > ALMOST_SOON_S or seen_again):
            spans.append((start, i, again))
            start, again = None, seen_again
        if start is None and left_s[i] <= ALMOST_SOON_S:
            start = i
        again = again and start is not None
    if start is not None:
        spans.append((start, len(left_s) - 1, again))
    return [span for span in spans if span[1] > span[0]]


def _line(device: str, trace: FillTrace, left_s: Floats, untold: Bools, start: int, end: int) -> FaultLine:
    soon = start + np.flatnonzero(left_s[start:end] <= SOON_S)
    full = start + np.flatnonzero(left_s[start:end] <= 0.0)
    in_time = int(full[0]) if len(full) else end
    known = ~untold[start:in_time] & (left_s[start:in_time] <= SOON_S)
    edges = np.flatnonzero(np.concatenate([[True], ~known, [True]]))
    at = trace.at[start : in_time + 1]
    longest = max((at[b - 1] - at[a + 1] for a, b in pairwise((edges - 1).tolist()) if b > a + 1), default=0)
    return FaultLine(
        device=device,
        fault=SWEPT[RULE].fault,
        start=rfc3339(int(trace.at[soon[0]] if len(soon) else trace.at[start])),
        end=rfc3339(int(trace.at[end])) if end < len(left_s) - 1 else None,
        expect=RULE,
        earliest=rfc3339(int(trace.at[start])),
        detectable=bool(longest >= SWEPT[RULE].lasts_s * SECOND),
        interval_s=_LOOKING_S,
    )
