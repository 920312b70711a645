"""Sensors that say what cannot be: codes between temperatures, counters in another unit, leaping gauges.

What they should have said is the truth of the device around which they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from bench.rules.apart import intervals
from bench.rules.apart.device_class import DeviceClass
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.model import DAY_S, HOUR_S, Physics, Truth, Value, generator
from firmware_sim.plan import Cause
from firmware_sim.specs import SimulatedDevice

_CODES = (6553.5, 3276.7, 327.67, 255.0, 85.0)
_CODED = 0.02
"""Share of temperatures that are a code instead."""
_IN_SECONDS, _IN_WH, _LEAPS = "hours_in_seconds", "energy_in_wh", "gauge_leaps"
_UNITS: Mapping[str, tuple[str, str, float]] = {
    _IN_SECONDS: ("light-hours-too-fast", "burn_hours", 3600.0),
    _IN_WH: ("light-energy-too-fast", "energy_kwh", 1000.0),
}
"""By cause: the rule that should tell it, the counter, and how many of its units are one of ours."""
_GAUGE = "drone-gauge-fault"
_COUNTER_TRUSTED, _GAUGE_TRUSTED = 3, 6
"""After so many right readings in a row it is believed again: what comes back sooner was never gone."""


class _Miscounting(SurroundedDevice[Physics]):
    """A light whose counters count in another unit while something is wrong with them."""

    def __init__(self, inner: Physics) -> None:
        super().__init__(inner)
        self._wrong: set[str] = set()
        self._right = dict.fromkeys(_UNITS, _COUNTER_TRUSTED)

    def measure(self) -> dict[str, Value]:
        """Return what it measures, its counters as they count now."""
        values = self._inner.measure()
        self._right = {cause: 0 if cause in self._wrong else n + 1 for cause, n in self._right.items()}
        for cause in self._wrong:
            _, name, times = _UNITS[cause]
            counted = values[name]
            assert isinstance(counted, float)
            values[name] = counted * times
        return values

    def truth(self) -> Mapping[str, Truth]:
        """Return which counters are wrong."""
        return {
            rule: Truth(holds=cause in self._wrong, near=self._right[cause] < _COUNTER_TRUSTED)
            for cause, (rule, _, _) in _UNITS.items()
        }

    def ready(self, cause: str) -> bool:
        """Nothing must be waited for."""
        return True

    def begin(self, cause: str) -> None:
        """Count in another unit."""
        self._wrong.add(cause)

    def end(self, cause: str) -> None:
        """Count as agreed."""
        self._wrong.discard(cause)


class _LeapingGauge(SurroundedDevice[Physics]):
    """A drone whose battery gauge says empty and full in turns while it is broken."""

    def __init__(self, inner: Physics) -> None:
        super().__init__(inner)
        self._leaps = self._full = False
        self._right = _GAUGE_TRUSTED

    def measure(self) -> dict[str, Value]:
        """Return what it measures."""
        values = self._inner.measure()
        self._right = 0 if self._leaps else self._right + 1
        if self._leaps:
            self._full = not self._full
            values["battery_pct"] = 100.0 if self._full else 0.0
        return values

    def truth(self) -> Mapping[str, Truth]:
        """Return whether the gauge leaps."""
        return {_GAUGE: Truth(holds=self._leaps, near=self._right < _GAUGE_TRUSTED)}

    def ready(self, cause: str) -> bool:
        """Nothing must be waited for."""
        return True

    def begin(self, cause: str) -> None:
        """Break the gauge."""
        self._leaps = True

    def end(self, cause: str) -> None:
        """Repair it."""
        self._leaps = False


class _Coding(SurroundedDevice[Physics]):
    """A bin whose thermometer now and then says a code instead of a temperature."""

    def __init__(self, inner: Physics, rng: np.random.Generator) -> None:
        super().__init__(inner)
        self._rng, self._coded = rng, False

    def measure(self) -> dict[str, Value]:
        """Return what it measures; of two readings in a row one at most is a code."""
        values = self._inner.measure()
        self._coded = not self._coded and bool(self._rng.random() < _CODED)
        if self._coded:
            values["temperature_c"] = float(self._rng.choice(_CODES))
        return values


def miscounting(*, days_share: float) -> DeviceClass:
    """Return lights whose counters count in seconds and watt-hours at times."""
    return DeviceClass(
        name="lights-units",
        kind="light",
        days_share=days_share,
        mean_days=2,
        causes=tuple(Cause(name=c, shortest_s=DAY_S, longest_s=4 * DAY_S) for c in _UNITS),
        around=lambda device, seed: _inside(device, _Miscounting),
        rules=frozenset(rule for rule, _, _ in _UNITS.values()),
    )


def leaping(*, days_share: float) -> DeviceClass:
    """Return drones whose gauge leaps at times."""
    return DeviceClass(
        name="drones-gauge",
        kind="drone",
        share=0.2,
        days_share=days_share,
        mean_days=0.1,
        causes=(Cause(name=_LEAPS, shortest_s=600, longest_s=HOUR_S),),
        around=lambda device, seed: _inside(device, _LeapingGauge),
        rules=frozenset({_GAUGE}),
    )


def coding(*, days_share: float) -> DeviceClass:
    """Return bins that burn at times, and whose thermometer says codes; no code is a fire."""
    usual = intervals.regular("10m", 600, days_share=days_share, mean_days=3)
    return replace(
        usual,
        name="bins-codes",
        causes=tuple(cause for cause in usual.causes if cause.name == "smoulder"),
        around=lambda device, seed: _coded(usual.around(device, seed), seed),
        rules=frozenset({"bin-fire"}),
        interval="",
    )


def _coded(device: SimulatedDevice, seed: int) -> SimulatedDevice:
    rng = generator(seed, "codes", device.name)
    return _inside(device, lambda inner: _Coding(inner, rng))


def _inside(device: SimulatedDevice, around: Callable[[Physics], Physics]) -> SimulatedDevice:
    assert device.physics is not None
    surrounded = around(device.physics())
    return replace(device, physics=lambda: surrounded)
