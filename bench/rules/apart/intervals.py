"""Bins that report every 10 s, or once a day, or whenever they like: the regular report and events at once.

What a device does between two messages nobody knows: it reports at once when it tilts, heats up or becomes
full, and everything else with its next regular message. Labels say what such messages can show.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import numpy as np

from bench.rules.apart.device_class import DeviceClass, lasted_s
from bench.rules.fullness import TracedBin
from devices.kinds.kind import INTERVAL
from firmware_sim.faults import CLOCK_WRONG, FROZEN_VALUES, SILENT, FaultLine, expectation
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.model import DAY_S, HOUR_S, Truth, Value, generator
from firmware_sim.plan import CLOCK_OFF, FROZEN, LINK_LOSS, SILENCE, Cause
from firmware_sim.specs import SimulatedDevice

_FULL_PCT, _AGAIN_PCT = 85.0, 75.0
_HOT_FROM_C, _HOT_STEP_C = 60.0, 10.0
_FIRE_S = 180.0
"""A fire that its sensor can see is reported at once; it must burn until then."""
_STANDSTILL_READINGS = 12
_MEASURED_READINGS = 8
_NEEDED_READINGS = {
    FROZEN_VALUES: _STANDSTILL_READINGS,
    "bin-sensor-frozen": _STANDSTILL_READINGS,
    "bin-temperature-missing": _MEASURED_READINGS,
    "bin-battery-low": 4,
    "bin-moved": 3,
    CLOCK_WRONG: 4,
    SILENT: 3,
}
"""How many messages it takes to know it, however long it lasts."""
_IDLE_TICK_S, _RARE_TICK_S = 300.0, 900.0
_LEARNS_DAYS = 4.0
"""Until a device has sent some readings, its kind's interval is all that anybody can guess."""
_BLINDING = (FROZEN_VALUES, CLOCK_WRONG, SILENT, "bin-temperature-missing")
_RULES = frozenset({"bin-overflow", "bin-fire", "bin-tipped", *_NEEDED_READINGS})

Every = Callable[[np.random.Generator], float]


class RareReporter(SurroundedDevice[TracedBin]):
    """A bin that reports at intervals of its own, and events at once."""

    def __init__(self, inner: TracedBin, every: Every, rng: np.random.Generator) -> None:
        super().__init__(inner)
        self._every = every
        self._rng = rng
        self._interval_s = every(rng)
        self._full = inner.container.fill_pct >= _FULL_PCT
        self._hot = 0

    def step(self, now: int) -> bool:
        """Live until `now`; True when something is reported at once."""
        urgent = self._inner.step(now)
        return self._fills() | self._heats() | urgent

    def _fills(self) -> bool:
        fill_pct = self._inner.container.fill_pct
        was, self._full = self._full, fill_pct >= (_AGAIN_PCT if self._full else _FULL_PCT)
        return self._full and not was

    def _heats(self) -> bool:
        over = (self._inner.container.temperature_c - _HOT_FROM_C) / _HOT_STEP_C
        was, self._hot = self._hot, max(0, math.ceil(over))
        return self._hot > was

    def truth(self) -> Mapping[str, Truth]:
        """What is really wrong; a fire is one, and the same, from when it smoulders until it has cooled."""
        truth = dict(self._inner.truth())
        fire = truth["bin-fire"]
        truth["bin-fire"] = replace(fire, near=fire.holds or fire.near)
        return truth

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say, and choose when to report next."""
        self._interval_s = self._every(self._rng)
        return self._inner.measure()

    def interval_s(self) -> float:
        """Return the seconds until the next regular report."""
        return self._interval_s

    def tick_s(self) -> float:
        """Return the longest step: idle hours are passed quickly by whoever reports rarely."""
        return idle_tick_s(self._inner, self._interval_s)


def idle_tick_s(inner: TracedBin, interval_s: float) -> float:
    """Return the step of a bin: its own while it is busy, else longer ones where it reports rarely."""
    busy = inner.tick_s() < _IDLE_TICK_S
    return inner.tick_s() if busy else max(_IDLE_TICK_S, min(_RARE_TICK_S, interval_s))


def regular(name: str, interval_s: float, *, days_share: float, mean_days: float) -> DeviceClass:
    """Return bins that report at one interval, which the registry knows."""
    return DeviceClass(
        name=f"bins-{name}",
        kind="bin",
        days_share=days_share,
        mean_days=mean_days,
        causes=causes(interval_s),
        attributes={INTERVAL: interval_s},
        around=_reporting(lambda rng: interval_s),
        relabel=lambda lines: [_relabelled(line, lines, interval_s) for line in lines],
        rules=_RULES,
        interval=name,
    )


def irregular(*, days_share: float, mean_days: float) -> DeviceClass:
    """Return bins that report after 1 to 30 hours; nobody has told the registry."""
    longest_s = 30 * HOUR_S
    return DeviceClass(
        name="bins-irregular",
        learns_days=_LEARNS_DAYS,
        kind="bin",
        days_share=days_share,
        mean_days=mean_days,
        causes=causes(longest_s),
        around=_reporting(lambda rng: float(rng.uniform(HOUR_S, longest_s))),
        relabel=lambda lines: [_relabelled(line, lines, longest_s) for line in lines],
        rules=_RULES,
        interval="irregular",
    )


def causes(interval_s: float) -> tuple[Cause, ...]:
    """Return what breaks, for as long as it takes to be seen at this interval, more or less."""

    def cause(name: str, shortest_s: float, longest_s: float, readings: float, weight: float = 1.0) -> Cause:
        return Cause(
            name=name,
            shortest_s=max(shortest_s, 0.3 * readings * interval_s),
            longest_s=max(longest_s, readings * interval_s),
            weight=weight,
        )

    found = (
        cause("smoulder", 60, 5400, 0, 2),
        cause("lean", 240, 4 * HOUR_S, 5, 2),
        cause("leaky_cell", 2 * DAY_S, 7 * DAY_S, 12),
        cause("moved", HOUR_S, 2 * DAY_S, 6, 2),
        cause("frozen_echo", 2 * DAY_S, 8 * DAY_S, 20),
        cause("unused", DAY_S, 6 * DAY_S, 0, 0.5),
        cause(SILENCE, 300, 8 * HOUR_S, 8),
        cause(LINK_LOSS, 300, 4 * HOUR_S, 2, 0.7),
        cause(FROZEN, HOUR_S, 3 * DAY_S, 20),
        cause(CLOCK_OFF, HOUR_S, 2 * DAY_S, 10, 0.7),
    )
    # What hangs before the sensor at once looks like waste to whoever looks once a day.
    blocked = cause("blocked_echo", 4 * HOUR_S, 3 * DAY_S, 0)
    return (*found, blocked) if interval_s <= 600 else found


def _reporting(every: Every) -> Callable[[SimulatedDevice, int], SimulatedDevice]:
    def around(device: SimulatedDevice, seed: int) -> SimulatedDevice:
        assert device.physics is not None
        traced = device.physics()
        assert isinstance(traced, TracedBin)
        reporter = RareReporter(traced, every, generator(seed, "reports", device.name))
        return replace(device, physics=lambda: reporter)

    return around


def _relabelled(line: FaultLine, others: Sequence[FaultLine], interval_s: float) -> FaultLine:
    """Return a label, to be told only where messages at this interval can show it."""
    if line.expect == "bin-fire":
        hindered = any(_blinds(other, line) or _just_before(other, line, interval_s) for other in others)
        # Who is called to what smoulders and dies unseen is called rightly; nobody must be.
        detectable = line.seen and lasted_s(line) >= _FIRE_S and not hindered
    else:
        messages_s = _NEEDED_READINGS.get(line.expect, 0) * interval_s
        needed_s = max(expectation(line.expect).lasts_s, messages_s) + 2 * interval_s
        detectable = line.detectable and lasted_s(line) >= needed_s
    longest_s = max(line.interval_s, interval_s)
    return msgspec.structs.replace(line, detectable=detectable, interval_s=longest_s, reports_s=interval_s)


def _just_before(other: FaultLine, line: FaultLine, interval_s: float) -> bool:
    """Tell whether a fire was put out so lately that its alert stands: two readings end it."""
    if (other.device, other.expect) != (line.device, line.expect) or other.end is None or not other.seen:
        return False
    since_s = (datetime.fromisoformat(line.start) - datetime.fromisoformat(other.end)).total_seconds()
    return 0 <= since_s < 3 * interval_s


def _blinds(other: FaultLine, line: FaultLine) -> bool:
    """Tell whether something else kept a device from telling a fault: nothing measured, or nothing heard."""
    if other.device != line.device or other.expect not in _BLINDING:
        return False
    return (other.end is None or other.end > line.start) and (line.end is None or other.start < line.end)
