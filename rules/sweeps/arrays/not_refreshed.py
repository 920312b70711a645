"""Measurements that are no longer refreshed, over arrays; `core.not_refreshed` says who is overdue."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from devices.kinds.kind import Kind
from rules.definition.families import NotRefreshed
from rules.language.program import Rule
from rules.sweeps.arrays.array_sweep import AGAIN_US, opened, resolved
from rules.sweeps.arrays.good_times import GoodTimes
from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.arrays.swept_devices import RestingDevices, SweptDevices
from rules.sweeps.core import not_refreshed
from rules.sweeps.core.instants import FAR_AWAY, NEVER
from rules.sweeps.core.not_refreshed import LastGoodValues

Ints = NDArray[np.int64]


class NotRefreshedOverArrays:
    """A rule about one measurement over devices of one kind. One that never had it is left alone."""

    def __init__(self, rule: Rule, kind: Kind, devices: SweptDevices) -> None:
        family = rule.definition.sweep
        assert isinstance(family, NotRefreshed)
        self._rule, self._family = rule, family
        self.measurements = frozenset({family.measurement})
        self.device_id = devices.device_id
        self._devices = devices
        self._resting = RestingDevices(rule.definition.when, devices)
        self._latest = LatestValues(kind, len(devices), [family.measurement])
        self._times = GoodTimes(kind, len(devices), family.measurement)
        self._opened_at: Ints = np.full(len(devices), NEVER, dtype=np.int64)
        self._due_at = FAR_AWAY

    def next_at(self, pending: PendingReadings) -> int:
        """Return when something is received, or a measurement has been missing for too long."""
        return min(self._due_at, pending.first_at)

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings."""
        self._latest.take(received)
        self._times.take(received)

    def judge(self, at: int) -> Iterator[Transition]:
        """Yield alerts of devices with a value again, and of those without one for too long."""
        resting = self._resting.until(at) > at
        self._due_at = FAR_AWAY
        yield from self._end(at, resting)
        yield from self._begin(at, resting)

    def _end(self, at: int, resting: NDArray[np.bool_]) -> Iterator[Transition]:
        refreshed = (self._opened_at > NEVER) & (self._times.good_at > self._opened_at)
        self._look_again(at, refreshed & resting)
        for row in np.flatnonzero(refreshed & ~resting).tolist():
            self._opened_at[row] = NEVER
            observed_at, received_at = int(self._times.good_at[row]), int(self._times.good_received_at[row])
            yield resolved(
                self._rule,
                int(self._devices.device_id[row]),
                self._family.severity,
                observed_at,
                received_at,
            )

    def _begin(self, at: int, resting: NDArray[np.bool_]) -> Iterator[Transition]:
        family, latest, times = self._family, self._latest, self._times
        missing = np.isnan(latest.good(family.measurement))
        waits = (times.good_at > NEVER) & missing & (self._opened_at == NEVER)
        good = LastGoodValues(observed_at=times.good_at, received_at=times.good_received_at)
        overdue = waits & not_refreshed.is_overdue(family, good, latest.received_at, latest.interval_us, at)
        due_at = not_refreshed.due_at(family, good, latest.interval_us)
        self._due_at = min(self._due_at, int(due_at[waits & (due_at > at)].min(initial=FAR_AWAY)))
        self._look_again(at, overdue & resting)
        patience = not_refreshed.patience_us(family, latest.interval_us)
        alert_from = not_refreshed.alert_from(times.good_at, times.bad_since, patience)
        for row in np.flatnonzero(overdue & ~resting).tolist():
            self._opened_at[row] = alert_from[row]
            yield opened(
                self._rule,
                int(self._devices.device_id[row]),
                family.severity,
                int(alert_from[row]),
                int(latest.received_at[row]),
            )

    def _look_again(self, at: int, left_alone: NDArray[np.bool_]) -> None:
        if left_alone.any():
            self._due_at = min(self._due_at, at + AGAIN_US)
