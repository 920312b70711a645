"""Values far from their neighbours' median, over arrays; who is far is for `core.neighbours` to say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from devices.kinds.kind import Kind
from rules.definition.families import Neighbours
from rules.language.program import Rule
from rules.sweeps.arrays.array_sweep import opened, resolved
from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.arrays.swept_devices import RestingDevices, SweptDevices
from rules.sweeps.core import neighbours
from rules.sweeps.core.instants import FAR_AWAY, NEVER
from rules.sweeps.core.neighbourhood import Neighbourhoods
from rules.sweeps.core.neighbours import NeighbourValues, NeighbourVerdict

FRESH_INTERVALS = 2
"""Values older than so many intervals say nothing about now."""


class NeighboursOverArrays:
    """A rule that compares neighbours, over devices of one kind."""

    def __init__(self, rule: Rule, kind: Kind, devices: SweptDevices) -> None:
        family = rule.definition.sweep
        assert isinstance(family, Neighbours)
        self._rule, self._family = rule, family
        self.measurements = frozenset({family.measurement})
        self._measurement = kind.measurement(family.measurement)
        self.device_id = devices.device_id
        self._devices = devices
        self._resting = RestingDevices(rule.definition.when, devices)
        self._latest = LatestValues(kind, len(devices), [family.measurement])
        self._since = np.full(len(devices), NEVER, dtype=np.int64)
        self._open = np.zeros(len(devices), dtype=np.bool_)
        self._stale_at = FAR_AWAY
        self._compared = np.empty(0, dtype=np.intp)
        self._near = self._neighbours_of(self._compared)

    def next_at(self, pending: PendingReadings) -> int:
        """Return when something is received, or a value becomes too old to be compared."""
        return min(self._stale_at, pending.first_at)

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings."""
        self._latest.take(received)

    def judge(self, at: int) -> Iterator[Transition]:
        """Yield alerts of devices that are near again, and of those that have been far for long enough."""
        latest = self._latest
        value = latest.good(self._family.measurement)
        stale_at = latest.received_at + FRESH_INTERVALS * latest.interval_us
        asked = np.flatnonzero(np.isfinite(value) & (stale_at > at) & (self._resting.until(at) <= at))
        self._stale_at = int(stale_at[asked].min(initial=FAR_AWAY))
        since = np.full(len(value), NEVER, dtype=np.int64)
        if len(asked):
            columns, near = self._columns(asked, value), self._neighbours_of(asked)
            verdict = neighbours.judge(self._family, self._measurement, columns, near)
            since[asked] = verdict.since
            yield from self._transitions(asked, verdict)
        self._since = since

    def _neighbours_of(self, asked: NDArray[np.intp]) -> Neighbourhoods:
        """Return who is whose neighbour; mostly the same devices are compared as the last time."""
        if not np.array_equal(asked, self._compared) or not len(asked):
            devices = self._devices
            self._compared = asked
            self._near = neighbours.neighbours_of(
                self._family, devices.parent[asked], devices.lat[asked], devices.lon[asked]
            )
        return self._near

    def _columns(self, asked: NDArray[np.intp], value: NDArray[np.float64]) -> NeighbourValues:
        return NeighbourValues(
            value=value[asked],
            observed_at=self._latest.observed_at[asked],
            since=self._since[asked],
            is_open=self._open[asked],
        )

    def _transitions(self, asked: NDArray[np.intp], verdict: NeighbourVerdict) -> Iterator[Transition]:
        latest, severity = self._latest, self._family.severity
        for row in asked[verdict.ends].tolist():
            self._open[row] = False
            observed_at, received_at = int(latest.observed_at[row]), int(latest.received_at[row])
            yield resolved(self._rule, int(self._devices.device_id[row]), severity, observed_at, received_at)
        for place in np.flatnonzero(verdict.begins).tolist():
            row = int(asked[place])
            self._open[row] = True
            far_long_at = int(verdict.since[place]) + self._family.lasting_us
            device = int(self._devices.device_id[row])
            yield opened(self._rule, device, severity, far_long_at, int(latest.received_at[row]))
