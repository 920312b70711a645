"""The low-voltage network that lamps share: one circuit's voltage by time of day and load.

Pure function of the instant plus what is broken, so that lamps of a circuit agree with each other.
"""

from __future__ import annotations

import math

from firmware_sim.physics.model import DAY_S, SECOND, generator


class Circuit:
    """One lighting circuit fed from one cabinet, 230 V nominal."""

    def __init__(self, name: str, seed: int, lon: float) -> None:
        self.name = name
        self._lon = lon
        rng = generator(seed, "circuit", name)
        self._base = float(rng.uniform(229.0, 233.0))
        self._phases = tuple(float(p) for p in rng.uniform(0.0, 2 * math.pi, 3))

    def voltage_v(self, now: int) -> float:
        """Voltage at the cabinet: sags in the evening peak, rises at night, wobbles with the load."""
        seconds = now / SECOND
        solar_day = (seconds + self._lon * 240.0) / DAY_S
        evening = math.exp(-(((solar_day % 1.0) - 20 / 24) ** 2) / (2 * (2.0 / 24) ** 2))
        night = 0.5 + 0.5 * math.cos(2 * math.pi * (solar_day - 3 / 24))
        wobble = (
            math.sin(2 * math.pi * seconds / 1700.0 + self._phases[0])
            + 0.5 * math.sin(2 * math.pi * seconds / 310.0 + self._phases[1])
            + 0.3 * math.sin(2 * math.pi * seconds / 41.0 + self._phases[2])
        )
        return self._base - 6.0 * evening + 3.0 * night + 0.8 * wobble
