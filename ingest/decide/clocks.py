"""When a reading was observed, although its device's clock may be absent, unset or ahead.

Pure; judged per message and device by its newest `ts`. docs/protocol.md, "When your clock is wrong".
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from devices.kinds.kind import CLOCK_CORRECTED, CLOCK_UNSET, UNDATED
from devices.wire.instants import ABSENT

AHEAD_LIMIT = 5 * 60 * 1_000_000
"""A clock further ahead of ours than this, in microseconds, is wrong and not just early."""


UNSET_US = (2_147_483_647_000_000, 4_294_967_295_000_000)
"""Seconds with all bits set, signed and unsigned, in microseconds: what a clock says that was never set."""

RUN_GAP = 60 * 60 * 1_000_000
"""Device times further apart than this, in microseconds, get ranges of their own: none was sent between."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ClockOffset:
    """Device times first..last (microseconds, both included) of a device ran `ahead` microseconds fast."""

    first: int
    last: int
    ahead: int


Learnt = list[tuple[int, ClockOffset]]
"""Offsets that a batch has found, each with its device's id."""


@dataclass(slots=True)
class Offsets:
    """The stored clock offsets by device."""

    by_device: dict[int, list[ClockOffset]] = field(default_factory=dict)
    longest: dict[int, int] = field(default_factory=dict)

    def add(self, device_id: int, offset: ClockOffset) -> None:
        """Add a stored range of device time."""
        insort(self.by_device.setdefault(device_id, []), offset)
        self.longest[device_id] = max(self.longest.get(device_id, 0), offset.last - offset.first)

    def adopt(self, learnt: Learnt) -> None:
        """Add the offsets that a batch has found: they are stored."""
        for device_id, offset in learnt:
            self.add(device_id, offset)

    def forget(self, device_id: int) -> None:
        """Drop what is known of a device's clock: other hardware stands there now."""
        self.by_device.pop(device_id, None)
        self.longest.pop(device_id, None)

    def covering(self, device_id: int, instant: int) -> ClockOffset | None:
        """Return the offset whose range holds an instant of device time."""
        ranges = self.by_device.get(device_id, [])
        # No range is longer than the longest: further back none can reach the instant.
        i = bisect_right(ranges, instant, key=lambda o: o.first) - 1
        while i >= 0 and ranges[i].first >= instant - self.longest[device_id]:
            if ranges[i].last >= instant:
                return ranges[i]
            i -= 1
        return None


@dataclass(frozen=True, slots=True)
class Clocks:
    """The offsets that one batch is dated with: the stored ones, and those that it finds."""

    stored: Offsets
    learnt: Learnt = field(default_factory=list)

    def learn(self, device_id: int, offset: ClockOffset) -> None:
        """Add a range for the rest of the batch."""
        self.learnt.append((device_id, offset))

    def covering(self, device_id: int, instant: int) -> ClockOffset | None:
        """Return the offset whose range holds an instant of device time, the first that was found."""
        # A range begins at a time that no other covered: of two that overlap, the later one begins first.
        return self.stored.covering(device_id, instant) or max(
            (
                offset
                for learner, offset in self.learnt
                if learner == device_id and offset.first <= instant <= offset.last
            ),
            default=None,
        )


@dataclass(slots=True, kw_only=True)
class DatedRows:
    """The result of `date`, n rows.

    observed_at: (n,) int64 microseconds.
    quality: (n,) int64, CLOCK_CORRECTED, CLOCK_UNSET and UNDATED.
    bad: why a row has no time, by row.
    """

    observed_at: NDArray[np.int64]
    quality: NDArray[np.int64]
    bad: dict[int, str] = field(default_factory=dict)


def date(
    *,
    instant: NDArray[np.int64],
    device_id: NDArray[np.int32],
    received_at: NDArray[np.int64],
    starts: NDArray[np.int64],
    clocks: Clocks,
    retention: int,
    told_by_us: NDArray[np.bool_] | None = None,
) -> DatedRows:
    """Return when each of n elements was observed.

    Args:
        instant: (n,) device time in microseconds, ABSENT without `ts`.
        device_id: (n,).
        received_at: (n,) microseconds, the same within a message.
        starts: (m,) first row of each group; a group is the elements of one device in one message.
        clocks: clock offsets known so far; those found are added.
        retention: how far back a reading may lie, in microseconds.
        told_by_us: (n,) whose instants come of our own clocks, not of the devices': they are as they are, or
            bad. The same within a group; None: nobody's.
    """
    unset = np.isin(instant, UNSET_US)
    if unset.any():
        instant = np.where(unset, ABSENT, instant)
    dated = DatedRows(observed_at=instant.copy(), quality=np.zeros(len(instant), dtype=np.int64))
    if not len(instant):
        return dated
    newest = np.maximum.reduceat(instant, starts)
    received = received_at[starts]
    plain = (newest <= received + AHEAD_LIMIT) & (newest >= received - retention)
    if clocks.stored.by_device:
        # A reading that is sent again must get the same instant as when the clock was wrong.
        plain &= ~np.isin(device_id[starts], list(clocks.stored.by_device))
    if told_by_us is not None:
        plain |= told_by_us[starts]
        for row in np.flatnonzero(told_by_us & (instant > received_at + AHEAD_LIMIT)).tolist():
            dated.bad[row] = "later than now"
    ends = np.append(starts[1:], len(instant))
    for group in np.flatnonzero(~plain).tolist():
        rows = range(int(starts[group]), int(ends[group]))
        _date_group(dated, rows, instant, int(device_id[rows[0]]), int(received[group]), clocks, retention)
    _date_absent(dated, np.where(unset, 0, instant), received_at, starts)
    date_by_receipt(dated, np.flatnonzero(unset), device_id, received_at)
    too_old = dated.observed_at < received_at - retention
    for row in np.flatnonzero(too_old).tolist():
        dated.bad.setdefault(row, "older than what is kept, in a message whose newest time is fine")
    return dated


def _date_group(
    dated: DatedRows,
    rows: Iterable[int],
    instant: NDArray[np.int64],
    device_id: int,
    received: int,
    clocks: Clocks,
    retention: int,
) -> None:
    """Date one group whose clock may be wrong, or that may repeat readings from when it was."""
    uncovered = []
    for row in rows:
        told = int(instant[row])
        offset = clocks.covering(device_id, told) if told != ABSENT else None
        if offset is not None:
            dated.observed_at[row] = told - offset.ahead
            dated.quality[row] |= CLOCK_CORRECTED
        elif told != ABSENT:
            uncovered.append(row)
    if uncovered and int(instant[uncovered].max()) < received - retention:
        _date_unset(dated, uncovered, instant, received)
        return
    while uncovered and int(instant[uncovered].max()) > received + AHEAD_LIMIT:
        uncovered = _date_ahead(dated, uncovered, instant, device_id, received, clocks, retention)


def _date_unset(dated: DatedRows, rows: list[int], instant: NDArray[np.int64], received: int) -> None:
    """Date rows of a clock that was never set: the newest at its receive time, the others relative to it."""
    times = instant[rows]
    dated.observed_at[rows] = received - (times.max() - times)
    dated.quality[rows] |= UNDATED | CLOCK_UNSET


def _date_ahead(
    dated: DatedRows,
    uncovered: list[int],
    instant: NDArray[np.int64],
    device_id: int,
    received: int,
    clocks: Clocks,
    retention: int,
) -> list[int]:
    """Date the rows that share the wrong clock of the newest one; return those that do not."""
    times = instant[uncovered]
    ahead = int(times.max()) - received
    # One wrong `ts` must not change right times of the same message, nor those still to come.
    shared = times - ahead >= received - retention
    rows = np.array(uncovered)[shared]
    for run in _runs(np.sort(times[shared])):
        clocks.learn(device_id, ClockOffset(first=int(run[0]), last=int(run[-1]), ahead=ahead))
    dated.observed_at[rows] = instant[rows] - ahead
    dated.quality[rows] |= CLOCK_CORRECTED
    return [row for row, is_shared in zip(uncovered, shared, strict=True) if not is_shared]


def _runs(times: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Split sorted times where more than RUN_GAP lies between two."""
    return np.split(times, np.flatnonzero(np.diff(times) > RUN_GAP) + 1)


def date_by_receipt(
    dated: DatedRows,
    rows: NDArray[np.intp],
    device_id: NDArray[np.int32],
    received_at: NDArray[np.int64],
) -> None:
    """Date rows of clocks that say nothing: when they were received, those of a device a microsecond apart.

    Args:
        rows: some of the n rows, ascending. device_id: (n,). received_at: (n,) microseconds, the same within
            a message.
    """
    if not len(rows):
        return
    rows = rows[np.argsort(device_id[rows], kind="stable")]
    received, place = received_at[rows], np.arange(len(rows))
    changes = np.append(True, np.diff(device_id[rows]) != 0)
    message = np.flatnonzero(np.append(changes[1:] | (np.diff(received) != 0), True))
    # The last one of a message when it was received, unless the message before reaches further than that.
    wanted = received - (message[np.searchsorted(message, place)] - place)
    device = np.cumsum(changes) * (int(np.ptp(wanted)) + len(rows) + 1)
    dated.observed_at[rows] = np.maximum.accumulate(wanted - place + device) - device + place
    dated.quality[rows] |= UNDATED | CLOCK_UNSET


def _date_absent(
    dated: DatedRows, instant: NDArray[np.int64], received_at: NDArray[np.int64], starts: NDArray[np.int64]
) -> None:
    absent = np.flatnonzero(instant == ABSENT)
    if not len(absent):
        return
    dated.observed_at[absent] = received_at[absent]
    dated.quality[absent] |= UNDATED
    groups = np.searchsorted(starts, absent, side="right")
    for again in absent[1:][groups[1:] == groups[:-1]].tolist():
        dated.bad[again] = "only one element a message may leave out `ts`"
