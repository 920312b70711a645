"""Devices that will soon be full, over arrays: learnt by rules.forecast, judged by `core.forecast`.

Each device's forecast is renewed twice an hour at most, as in service.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alerts.transition import Transition
from devices.kinds.kind import Kind
from rules.definition.families import Forecast
from rules.forecast import prediction, profile
from rules.language.program import Rule
from rules.sweeps.arrays.array_sweep import AGAIN_US, opened, resolved
from rules.sweeps.arrays.latest_values import LatestValues
from rules.sweeps.arrays.received import PendingReadings, ReceivedReadings
from rules.sweeps.arrays.swept_devices import RestingDevices, SweptDevices
from rules.sweeps.core import forecast
from rules.sweeps.core.instants import FAR_AWAY, NEVER

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class ForecastOverArrays:
    """A rule about what fills, over devices of one kind."""

    def __init__(self, rule: Rule, kind: Kind, devices: SweptDevices) -> None:
        family = rule.definition.sweep
        assert isinstance(family, Forecast)
        self._rule, self._family = rule, family
        self.measurements = frozenset({family.measurement})
        self.device_id = devices.device_id
        self._devices = devices
        self._resting = RestingDevices(rule.definition.when, devices)
        n = len(devices)
        self._latest = LatestValues(kind, n, [family.measurement])
        self._profiles = profile.fresh(n)
        self._forecast_at: Ints = np.full(n, NEVER // 1_000_000, dtype=np.int64)
        self._observed_at: Ints = np.full(n, NEVER, dtype=np.int64)
        self._soon: Bools = np.zeros(n, dtype=np.bool_)
        self._far: Bools = np.zeros(n, dtype=np.bool_)
        self._open: Bools = np.zeros(n, dtype=np.bool_)
        self._again_at = FAR_AWAY

    def next_at(self, pending: PendingReadings) -> int:
        """Return when something is received."""
        return min(self._again_at, pending.first_at)

    def take(self, received: ReceivedReadings) -> None:
        """Take in readings."""
        self._latest.take(received)

    def judge(self, at: int) -> Iterator[Transition]:
        """Renew the forecasts that are due; yield alerts that end and that open."""
        self._learn(self._resting.maintained_until(at) > at)
        until = self._resting.until(at)
        # A forecast that rests on a reading from before the work was done says nothing.
        judged = (until <= at) & (self._observed_at >= until)
        own = (forecast.SPEAKS_INTERVALS * self._latest.interval_us).astype(np.int64)
        speaks = self._latest.received_at > at - np.maximum(forecast.SPEAKS_WITHIN_US, own)
        ends, begins = self._far & self._open, self._soon & speaks & ~self._open
        left_alone = (ends | begins) & ~judged & (until > at)
        self._again_at = at + AGAIN_US if left_alone.any() else FAR_AWAY
        self._open = (self._open | (begins & judged)) & ~(ends & judged)
        for kind, rows in ((resolved, ends & judged), (opened, begins & judged)):
            for row in np.flatnonzero(rows).tolist():
                yield kind(
                    self._rule,
                    int(self._devices.device_id[row]),
                    self._family.severity,
                    int(self._observed_at[row]),
                    int(self._latest.received_at[row]),
                )

    def _learn(self, maintained: Bools) -> None:
        """Take the newest values in; what is read while somebody works on a device teaches nothing."""
        family, latest = self._family, self._latest
        value = latest.good(family.measurement)
        observed_s = latest.observed_at // 1_000_000
        due = np.flatnonzero(np.isfinite(value) & profile.due(self._forecast_at, observed_s))
        if not len(due):
            return
        self._forecast_at[due], self._observed_at[due] = observed_s[due], latest.observed_at[due]
        profiles = self._profiles[due]
        taught = np.where(maintained[due], np.nan, value[due])
        profile.fold(profiles, observed_s[due], taught, family.emptied_by, family.reaches)
        self._profiles[due] = profiles
        verdict = forecast.judge(family, prediction.predict(profiles, observed_s[due], family.reaches))
        self._soon[due], self._far[due] = verdict.soon, verdict.far
