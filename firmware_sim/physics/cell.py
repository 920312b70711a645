"""The lithium cell of a bin: charge, voltage, cold, and a cell that loses its charge by itself.

Pure. Typical of lithium thionyl chloride: flat for years, then a knee; cold and a passivated anode
lower the voltage for as long as the radio draws current.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.model import DAY_S

KNEE = 0.12
"""State of charge under which the voltage starts to collapse."""
EMPTY = 0.10
"""State of charge at which somebody should come."""
_WEAK = 0.06
_YEARS = 5.0


@dataclass(slots=True, kw_only=True)
class BatteryCell:
    """charge: 0..1. weak: hardly any capacity is left. leak_per_s: lost by itself, down to `floor`."""

    charge: float
    weak: bool = False
    leak_per_s: float = 0.0
    floor: float = 0.0

    @property
    def left(self) -> float:
        """State of charge that can be used."""
        return min(self.charge, _WEAK) if self.weak else self.charge

    def step(self, dt: float) -> None:
        """Wear for `dt` seconds."""
        self.charge = max(0.0, self.charge - dt / (_YEARS * 365 * DAY_S))
        if self.leak_per_s > 0.0 and self.charge > self.floor:
            self.charge = max(self.floor, self.charge - self.leak_per_s * dt)

    def leak(self, rng: np.random.Generator) -> None:
        """Begin to lose charge, within days, down to somewhere around empty."""
        self.floor = float(rng.uniform(0.02, 0.096))
        self.leak_per_s = max(0.05, self.charge - self.floor) / float(rng.uniform(0.5, 3.0)) / DAY_S

    def change(self) -> None:
        """Put a new one in."""
        self.weak, self.leak_per_s, self.charge = False, 0.0, 1.0

    def volts(self, temperature_c: float, rng: np.random.Generator) -> float:
        """Return the voltage while the radio sends."""
        flat = 3.58 + 0.06 * self.left
        knee = flat - (0.75 * (KNEE - self.left) / KNEE if self.left < KNEE else 0.0)
        warmth = 0.002 * (min(temperature_c, 60.0) - 20.0)
        stale = rng.random() < 0.004 + 0.02 * (temperature_c < 8.0)
        return knee + warmth - (float(rng.uniform(0.03, 0.25)) if stale else 0.0)
