"""A bin whose thermometer dies now and then: its cable breaks, and the sensor says nothing or its error code.

Wraps a bin; draws from random numbers of its own. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.bin import Bin
from firmware_sim.physics.model import DAY_S, HOUR_S, SECOND, Truth, Value

_FAILED_C = -127.0
_MEAN_DAYS = 30.0
_SHORTEST_S, _LONGEST_S = 600.0, 3 * DAY_S
_LOOSE_SHARE = 0.15
"""So many cables are only loose: a value comes through every hour."""


class MeasuredBin(SurroundedDevice[Bin]):
    """A bin with its thermometer."""

    def __init__(self, container: Bin, rng: np.random.Generator) -> None:
        super().__init__(container)
        self._rng = rng
        self._now = 0
        self._from = self._until = -1
        self._loose = self._mute = False
        self._good_at = 0
        self._said_none = False

    @property
    def fill_pct(self) -> float:
        """True fill, percent of the usable depth."""
        return self._inner.fill_pct

    @property
    def temperature_c(self) -> float:
        """True temperature inside."""
        return self._inner.temperature_c

    @property
    def blind(self) -> bool:
        """Tell whether its distance sensor cannot see the waste."""
        return self._inner.echo.blind or self._inner.tilt_deg > 30.0

    def step(self, now: int) -> bool:
        """Live until `now`; True when something is reported at once."""
        if self._from < 0 or now >= self._until:
            self._draw(max(now, self._until))
        self._now = now
        return self._inner.step(now)

    def _draw(self, after: int) -> None:
        self._from = after + round(float(self._rng.exponential(_MEAN_DAYS * DAY_S)) * SECOND)
        lasts_s = _SHORTEST_S * math.pow(_LONGEST_S / _SHORTEST_S, float(self._rng.random()))
        self._until = self._from + round(lasts_s * SECOND)
        self._loose = bool(self._rng.random() < _LOOSE_SHARE)
        self._mute = bool(self._rng.random() < 0.5)

    def _is_off(self) -> bool:
        return self._from <= self._now < self._until

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say."""
        values = self._inner.measure()
        if not self._is_off() or (self._loose and self._now - self._good_at > 0.75 * HOUR_S * SECOND):
            self._good_at, self._said_none = self._now, False
            return values
        self._said_none = True
        return values | {"temperature_c": None if self._mute else _FAILED_C}

    def truth(self) -> Mapping[str, Truth]:
        """Return what is wrong with the bin; without a thermometer it cannot tell a fire."""
        truth = dict(self._inner.truth())
        if self._is_off():
            truth["bin-fire"] = replace(truth["bin-fire"], hidden=True)
        # Software that stands still repeats what it measured last: with a loose cable that may be nothing.
        stale = self._said_none and self._now - self._good_at > HOUR_S * SECOND
        truth["bin-temperature-missing"] = Truth(holds=(self._is_off() and not self._loose) or stale)
        return truth
