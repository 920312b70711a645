"""Bins as some cities have them: a rough percentage after 1 to 30 hours, often nothing else.

99, 80, 45 within twelve hours, and 76 again; one that stands full for weeks; one whose sensor sticks between
two levels while its neighbours fill and are emptied.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import msgspec
import numpy as np

from bench.rules.apart.device_class import DeviceClass, lasted_s
from bench.rules.apart.intervals import idle_tick_s
from bench.rules.fullness import TracedBin
from firmware_sim.faults import SILENT, FaultLine
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.model import DAY_S, HOUR_S, Truth, Value, generator, sensed
from firmware_sim.plan import SILENCE, Cause
from firmware_sim.specs import SimulatedDevice

_STANDS_FULL, _STUCK = "stands_full", "stuck_level"
_LONGEST_S = 30 * HOUR_S
_NOISE_PCT, _WILD = 5.0, 0.06
"""Standard deviation of a level, and the share of readings that say anything at all."""
_STICKS_WITHIN_PCT = 3
_OVERFLOWS_PCT, _MAY_OVERFLOW_PCT, _NEARLY_PCT = 95.0, 78.0, 65.0
_EMPTY_MM, _MM_PER_PCT = 1500.0, 12.0
_NEEDED_S = {"bin-overflow": 2 * _LONGEST_S, "bin-sensor-frozen": 16 * DAY_S, SILENT: 4 * _LONGEST_S}
"""How long each must last, so that so few readings show it."""
_CAUSES = (
    Cause(name=_STANDS_FULL, shortest_s=12 * DAY_S, longest_s=18 * DAY_S),
    Cause(name=_STUCK, shortest_s=17 * DAY_S, longest_s=24 * DAY_S),
    Cause(name=SILENCE, shortest_s=2 * DAY_S, longest_s=8 * DAY_S, weight=0.7),
)


class RoughBin(SurroundedDevice[TracedBin]):
    """A bin whose sensor tells a rough level. Every second one tells nothing else."""

    def __init__(self, inner: TracedBin, rng: np.random.Generator) -> None:
        super().__init__(inner)
        self._rng = rng
        self._interval_s = 0.0
        self._draw_interval()
        self._level_only = bool(rng.random() < 0.5)
        self._stands_full = False
        self._stuck_at: int | None = None

    def _draw_interval(self) -> None:
        self._interval_s = float(self._rng.uniform(HOUR_S, _LONGEST_S))

    def step(self, now: int) -> bool:
        """Live until `now`; nothing is reported before its time."""
        self._inner.step(now)
        return False

    @property
    def _fill_pct(self) -> float:
        return 100.0 if self._stands_full else self._inner.container.fill_pct

    def _told_pct(self) -> float:
        if self._stuck_at is not None:
            return float(self._stuck_at + self._rng.integers(0, _STICKS_WITHIN_PCT + 1))
        if self._stands_full:
            return 100.0
        if self._rng.random() < _WILD:
            return sensed(float(self._rng.uniform(0.0, 100.0)), 0)
        return sensed(float(np.clip(self._fill_pct + self._rng.normal(0.0, _NOISE_PCT), 0.0, 100.0)), 0)

    def measure(self) -> dict[str, Value]:
        """Return a level, with or without the distance and what else it measures."""
        self._draw_interval()
        level = self._told_pct()
        if self._level_only:
            return {"fill_pct": level}
        measured = self._inner.measure()
        kept = {name: measured[name] for name in ("temperature_c", "battery_v", "battery_pct")}
        return {"fill_pct": level, "distance_mm": _EMPTY_MM - _MM_PER_PCT * level, **kept}

    def interval_s(self) -> float:
        """Return the seconds until the next report."""
        return self._interval_s

    def tick_s(self) -> float:
        """Return the longest step."""
        return idle_tick_s(self._inner, self._interval_s)

    def truth(self) -> Mapping[str, Truth]:
        """What is really wrong. A sensor that sticks at a high level looks like a full bin."""
        stuck = self._stuck_at is not None
        fill_pct = self._fill_pct if self._stuck_at is None else float(self._stuck_at)
        return {
            # A rough level of a nearly full bin may say that it is full; only of a full one it must.
            "bin-overflow": Truth(
                holds=fill_pct >= _MAY_OVERFLOW_PCT,
                near=fill_pct >= _NEARLY_PCT,
                hidden=stuck or fill_pct < _OVERFLOWS_PCT,
            ),
            "bin-sensor-frozen": Truth(holds=stuck),
        }

    def begin(self, cause: str) -> None:
        """Stand full, or stick at a level."""
        if cause == _STANDS_FULL:
            self._stands_full = True
        elif cause == _STUCK:
            self._stuck_at = int(self._rng.integers(62, 90))

    def end(self, cause: str) -> None:
        """Be emptied, or repaired."""
        if cause == _STANDS_FULL:
            self._stands_full = False
        elif cause == _STUCK:
            self._stuck_at = None


def rough(*, days_share: float) -> DeviceClass:
    """Return bins with rough levels."""
    return DeviceClass(
        name="bins-rough",
        kind="bin",
        days_share=days_share,
        mean_days=6,
        causes=_CAUSES,
        around=_around,
        relabel=_relabelled,
        learns_days=4,
        rules=frozenset({"bin-overflow", "bin-sensor-frozen", SILENT}),
    )


def _around(device: SimulatedDevice, seed: int) -> SimulatedDevice:
    assert device.physics is not None
    traced = device.physics()
    assert isinstance(traced, TracedBin)
    bin_ = RoughBin(traced, generator(seed, "rough", device.name))
    return replace(device, physics=lambda: bin_)


def _relabelled(lines: Sequence[FaultLine]) -> list[FaultLine]:
    """Return labels, to be told only where so few readings can show them."""
    return [
        msgspec.structs.replace(
            line,
            detectable=line.detectable and lasted_s(line) >= _NEEDED_S.get(line.expect, 0.0),
            interval_s=_LONGEST_S,
            reports_s=_LONGEST_S,
        )
        for line in _told_apart(lines)
    ]


def _told_apart(lines: Sequence[FaultLine]) -> list[FaultLine]:
    """Return labels; one that began soon after another need not be told: nobody saw the first end."""
    found: list[FaultLine] = []
    for line in sorted(lines, key=lambda line: (line.device, line.expect, line.start)):
        before = found[-1] if found else line
        same = found and (before.device, before.expect) == (line.device, line.expect)
        soon = same and before.end is not None and _apart_s(before.end, line.start) < 3 * _LONGEST_S
        found.append(msgspec.structs.replace(line, detectable=False) if soon else line)
    return found


def _apart_s(end: str, start: str) -> float:
    return (datetime.fromisoformat(start) - datetime.fromisoformat(end)).total_seconds()
