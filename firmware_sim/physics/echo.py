"""The distance sensor under a bin's lid, and what can go wrong with it.

Pure. Blind zone, lost echoes and noise are those of cheap waterproof ultrasonic modules.
"""

from __future__ import annotations

import math

import numpy as np

from firmware_sim.physics.model import DAY_S, SECOND, sensed

BLIND_ZONE_MM = 200.0
_NO_ECHO, _LOST_ECHO = 65535.0, 0.0
_DRIFT_MM = 5.0
"""How far temperature and dirt move the reading within weeks."""


class EchoSensor:
    """Hears how far below the lid the waste lies.

    frozen: it repeats the last distance for ever. blocked: something hangs right in front of it.
    """

    def __init__(self, install_height_mm: float, usable_depth_mm: float) -> None:
        self._height = install_height_mm
        self._depth = usable_depth_mm
        self._last = install_height_mm
        self.frozen = False
        self.blocked = False

    @property
    def blind(self) -> bool:
        """Tell whether it no longer sees the waste."""
        return self.frozen or self.blocked

    @property
    def stuck_near(self) -> bool:
        """Tell whether it stands still where it also would with something right in front of it."""
        return self.frozen and self._last <= BLIND_ZONE_MM + _DRIFT_MM

    def distance_mm(
        self, now: int, fill_pct: float, tilt_deg: float, noise: float, rng: np.random.Generator
    ) -> float:
        """Return what it says now; `noise` is standard normal."""
        luck = float(rng.random())
        if self.frozen:
            return sensed(self._last + (luck < 0.1), 0)
        if luck < 0.003:
            return _NO_ECHO if luck < 0.002 else _LOST_ECHO
        self._last = self._heard(now, fill_pct, tilt_deg, noise)
        return sensed(self._last, 0)

    def _heard(self, now: int, fill_pct: float, tilt_deg: float, noise: float) -> float:
        if self.blocked:
            return BLIND_ZONE_MM + abs(noise)
        if tilt_deg > 30.0:
            return min(5900.0, self._height * (1.3 + 0.2 * abs(noise)))
        surface = self._height - self._depth * fill_pct / 100.0
        drift = _DRIFT_MM * math.sin(now / SECOND / (9.3 * DAY_S) + self._height)
        return max(BLIND_ZONE_MM, round(surface + drift + 3.0 * noise))
