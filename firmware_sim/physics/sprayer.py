"""Tank, pump and nozzles of an irrigation drone.

Pure. Pressure comes from what the nozzles let through; the ground truth of a dose is litres released over
square metres swept, not what any formula says about the report.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from firmware_sim.physics.model import settle

SWATH_M = 5.0
TANK_L = 40.0
EMPTY_L = 0.3
_NOZZLES = 8.0
"""Litres per minute through all clean nozzles at one bar; flow grows with the square root of pressure."""
CLOGGED = 0.32
_PUMP_LIMIT_BAR = 4.8


@dataclass(slots=True, kw_only=True)
class Sprayer:
    """What leaves the aircraft.

    dose_l_ha: what reached the ground over the last seconds. wanted_lpm: what the dose takes at this speed.
    open_share: of the nozzles' area, when some is clogged. leak_lpm: what drips past the flow meter.
    stopped: the pump does not turn.
    """

    dose_l_ha: float
    tank_l: float = TANK_L
    flow_lpm: float = 0.0
    pressure_bar: float = 0.0
    wanted_lpm: float = 0.0
    open_share: float = 1.0
    leak_lpm: float = 0.0
    stopped: bool = False

    def step(self, dt: float, speed: float, rate_l_ha: float) -> None:
        """Spray for `dt` seconds at `speed` m/s so as to apply `rate_l_ha`; 0 is off."""
        on = rate_l_ha > 0 and self.tank_l > EMPTY_L
        self.tank_l = max(0.0, self.tank_l - self.leak_lpm / 60.0 * dt)
        swept_m2 = speed * SWATH_M * dt
        wanted_lpm = rate_l_ha / 10_000.0 * swept_m2 / dt * 60.0 if on else 0.0
        self.wanted_lpm = wanted_lpm
        nozzles = _NOZZLES * self.open_share
        target = 0.0 if self.stopped else min(_PUMP_LIMIT_BAR, (wanted_lpm / nozzles) ** 2)
        self.pressure_bar = settle(self.pressure_bar, target, dt, 0.4)
        self.flow_lpm = nozzles * math.sqrt(self.pressure_bar)
        if self.flow_lpm < 0.05:
            self.flow_lpm = self.pressure_bar = 0.0
        released = min(self.tank_l, self.flow_lpm / 60.0 * dt)
        self.tank_l -= released
        if on and swept_m2 > 0.5 * SWATH_M * dt:
            self.dose_l_ha = settle(self.dose_l_ha, released / swept_m2 * 10_000.0, dt, 4.0)
