"""Silence over arrays; who is silent is for `core.silent` to say.

It looks when the first deadline passes, and when a silent device sends something: in between nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from devices.kinds.kind import Kind
from devices.reporting import learned_of
from rules.language.program import Rule
from rules.sweeps.arrays.array_sweep import AGAIN_US, opened, resolved
from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.arrays.swept_devices import RestingDevices, SweptDevices
from rules.sweeps.core import silent
from rules.sweeps.core.instants import FAR_AWAY, NEVER

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class SilentOverArrays:
    """A rule about silence over devices of one kind.

    Args:
        caught_up_at: since when everything that was sent is in the readings; microseconds.
    """

    def __init__(self, rule: Rule, kind: Kind, devices: SweptDevices, caught_up_at: int) -> None:
        assert rule.definition.silent is not None
        self._rule = rule
        self._family = rule.definition.silent
        self._kind = kind
        self.measurements = silent.measured(self._family, kind)
        self._learned = learned_of(kind) if self._family.after_state else {}
        self._taught = {name: np.full(len(devices), np.nan) for name in self._learned}
        self.device_id = devices.device_id
        self._devices = devices
        self._resting = RestingDevices(rule.definition.when, devices)
        self._caught_up_at = caught_up_at
        self._latest = LatestValues(kind, len(devices), sorted(self.measurements))
        self._open: Bools = np.zeros(len(devices), dtype=np.bool_)
        self._opened_at: Ints = np.full(len(devices), NEVER, dtype=np.int64)
        self._due_at = FAR_AWAY

    def next_at(self, pending: PendingReadings) -> int:
        """Return when the first deadline passes, or a silent device sends something."""
        soonest = self._due_at
        for received in pending.up_to(soonest):
            deadlines = received.received_at + silent.patience_us(self._family, received.interval_us)
            back = received.received_at[self._open[received.device]]
            soonest = min(soonest, int(deadlines.min()) + 1, int(back[0]) if len(back) else FAR_AWAY)
        return soonest

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings."""
        self._latest.take(received)
        for name, learned in self._learned.items():
            values = received.values[learned.measurement]
            told = np.isin(received.values[learned.text].astype(str), learned.one_of) & ~np.isnan(values)
            # Ascending: of several the last counts.
            self._taught[name][received.device[told]] = values[told]

    def _attribute(self, name: str) -> NDArray[np.float64]:
        own = self._devices.attribute(name)
        return np.where(np.isnan(own), self._taught[name], own) if name in self._taught else own

    def judge(self, at: int) -> Iterator[Transition]:
        """Yield the silences that ended and those that began."""
        resting_until = self._resting.until(at)
        yield from self._end(at, resting_until)
        yield from self._begin(at, resting_until)

    def _end(self, at: int, resting_until: Ints) -> Iterator[Transition]:
        latest = self._latest
        resumed = self._open & silent.has_resumed(latest.received_at, self._opened_at)
        ends = resumed & (resting_until <= at)
        self._open &= ~ends
        self._due_at = at + AGAIN_US if (resumed & ~ends).any() else FAR_AWAY
        for row in np.flatnonzero(ends).tolist():
            yield resolved(
                self._rule,
                int(self._devices.device_id[row]),
                self._family.severity,
                int(latest.observed_at[row]),
                int(latest.received_at[row]),
            )

    def _begin(self, at: int, resting_until: Ints) -> Iterator[Transition]:
        latest, family = self._latest, self._family
        patience = silent.patience_us(family, latest.interval_us)
        deadline = latest.received_at + patience
        waits = (latest.received_at > NEVER) & ~self._open & self._is_judged()
        overdue = waits & silent.is_overdue(
            family, latest.received_at, latest.interval_us, at, self._caught_up_at
        )
        # Whoever was being worked on has its time again once the work is done.
        begins = overdue & (resting_until + patience <= at)
        self._open |= begins
        self._opened_at[begins] = deadline[begins]
        self._note_next(at, np.maximum(deadline, self._caught_up_at + latest.interval_us), waits & ~overdue)
        if (overdue & ~begins).any():
            self._due_at = min(self._due_at, at + AGAIN_US)
        for row in np.flatnonzero(begins).tolist():
            yield opened(
                self._rule,
                int(self._devices.device_id[row]),
                family.severity,
                int(deadline[row]),
                int(latest.received_at[row]),
            )

    def _is_judged(self) -> Bools:
        if self._family.of != "heard":
            # What is refused or never comes is not among the readings.
            return np.zeros(len(self._devices), dtype=np.bool_)
        return silent.is_judged(
            self._family, self._kind, self._latest.values, len(self._devices), self._attribute
        )

    def _note_next(self, at: int, overdue_after: Ints, waits: Bools) -> None:
        if waits.any():
            self._due_at = min(self._due_at, max(int(overdue_after[waits].min()), at) + 1)
