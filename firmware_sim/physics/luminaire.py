"""What ages and breaks inside a luminaire: modules, driver, capacitor, heat sink, pole, relay. Pure.

Only magnitudes and how they act on light, power factor, heat and lean; switching is physics/light.py's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from firmware_sim.physics.model import DAY_S, SECOND

RATED_LIFE_H = 50_000.0
_HALF_HOUR = 1800 * SECOND


@dataclass(slots=True, kw_only=True)
class Wear:
    """How worn a luminaire is; everything at its default is as new.

    dead_share: of its modules. dark_share: of the rated power that a driver without LEDs draws. deficit: of
    the power factor. heat: factor on its own warming. struck_deg: by how much somebody bent the pole.
    period_s, lit_share: of an unwanted blinking, 0 for none. switches: instants of it, newest last.
    """

    dead_share: float = 0.0
    dark_share: float = 0.0
    deficit: float = 0.0
    heat: float = 1.0
    struck_deg: float = 0.0
    period_s: float = 0.0
    lit_share: float = 1.0
    since: int = 0
    lit: bool = True
    switches: deque[int] = field(default_factory=deque)

    def blink(self, now: int, *, wanted: bool) -> bool:
        """Follow the blinking until `now`; True when light went on or off."""
        was, self.lit = self.lit, True
        if self.period_s > 0.0 and wanted:
            self.lit = (now - self.since) / SECOND % self.period_s < self.lit_share * self.period_s
        if self.lit != was and wanted:
            self.switches.append(now)
        while self.switches and self.switches[0] <= now - _HALF_HOUR:
            self.switches.popleft()
        return self.lit != was

    def dark_s(self, now: int) -> float:
        """Return for how long it has been dark between two blinks; 0 while it is lit."""
        return 0.0 if self.lit or not self.switches else (now - self.switches[-1]) / SECOND

    def begin(self, cause: str, now: int, rng: np.random.Generator) -> bool:
        """Break by a drawn magnitude, about three in ten times too little to matter; False if unknown."""
        little = bool(rng.random() < 0.3)
        match cause:
            case "dark_led":
                self.dark_share = float(rng.uniform(0.005, 0.06))
            case "dead_modules":
                self.dead_share = float(rng.uniform(0.03, 0.1) if little else rng.uniform(0.2, 0.6))
            case "flicker":
                self.since = now
                self.period_s = float(rng.uniform(700, 1500) if little else rng.uniform(60, 560))
                self.lit_share = float(rng.uniform(0.4, 0.8))
            case "worn_capacitor":
                self.deficit = float(rng.uniform(0.005, 0.025) if little else rng.uniform(0.06, 0.3))
            case "fouled_heatsink":
                self.heat = float(rng.uniform(1.1, 1.4) if little else rng.uniform(2.2, 3.8))
            case "struck":
                self.struck_deg = float(rng.uniform(0.3, 2.0) if little else rng.uniform(6.0, 40.0))
            case _:
                return False
        return True

    def end(self, cause: str) -> None:
        """Repair what the cause broke."""
        match cause:
            case "dark_led":
                self.dark_share = 0.0
            case "dead_modules":
                self.dead_share = 0.0
            case "flicker":
                self.period_s = 0.0
            case "worn_capacitor":
                self.deficit = 0.0
            case "fouled_heatsink":
                self.heat = 1.0
            case "struck":
                self.struck_deg = 0.0


def sway_deg(wind_mps: float, noise: float) -> float:
    """Return how far wind bends a pole at one moment."""
    return abs(0.06 * wind_mps * noise)


def settled_deg(age_s: float, rate_deg: float) -> float:
    """Return how far a pole leans after a time in soft ground, at `rate_deg` in a hundred days."""
    return rate_deg * min(1.0, age_s / (100.0 * DAY_S))
