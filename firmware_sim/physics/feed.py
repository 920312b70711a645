"""The cable that feeds a lighting circuit, when it has no power, and what a lamp then does.

Outages are a pure function of seed and instant, so that the lamps of a circuit agree. Where the main breaker
falls or a cable is stolen, lamp and controller go dead; where only the lamps' contactor opens, controllers on
their own supply go on reporting darkness. Every third lamp hangs on the same phase.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.grid import Circuit
from firmware_sim.physics.light import Light
from firmware_sim.physics.model import DAY_S, SECOND, Truth, Value, generator, sensed

PHASES = 3
_CELL_US = round(6 * DAY_S * SECOND)
"""In every six days a circuit has one outage at most, which ends before they do."""
_APART_V, _CLEARLY_APART_V = 10.0, 15.0
"""From where a lamp's voltage is not its neighbours', and from where everybody must see it."""
_OVER_US = 600 * SECOND
"""What is gone for less than that was never gone: EN 50160 judges voltage by means over ten minutes."""
_SLOW = ("light-partial-failure", "light-end-of-life", "light-pole-hit")
"""What lasts so long that an outage hides nothing of it."""
_USUAL_DROP_V = 2.0
"""What the cable costs a lamp in the middle of the street."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerOutage:
    """One outage; microseconds, the end not included. dead: controllers too. phases: how many of three."""

    start: int
    end: int
    dead: bool
    phases: int

    def hits(self, place: int) -> bool:
        """Tell whether the lamp at a place along the street hangs on a phase that is off."""
        return place % PHASES < self.phases


class SupplyFeed:
    """One circuit's supply through months."""

    def __init__(self, circuit: str, seed: int) -> None:
        self.circuit = circuit
        self._seed = seed
        self._of = lru_cache(maxsize=8)(self._drawn)

    def at(self, now: int) -> PowerOutage | None:
        """Return the outage under way."""
        outage = self._of(now // _CELL_US)
        return outage if outage is not None and outage.start <= now < outage.end else None

    def between(self, start: int, end: int) -> Iterator[PowerOutage]:
        """Yield the outages that begin in a span."""
        for cell in range(start // _CELL_US, end // _CELL_US + 1):
            outage = self._of(cell)
            if outage is not None and start <= outage.start < end:
                yield outage

    def _drawn(self, cell: int) -> PowerOutage | None:
        rng = generator(self._seed, "feed", self.circuit, str(cell))
        if rng.random() < 0.25:
            return None
        lasts_s = 180.0 * math.pow(160.0, float(rng.random()))
        start = cell * _CELL_US + round(float(rng.uniform(0.0, 5.5 * DAY_S)) * SECOND)
        dead = bool(rng.random() < 0.8)
        phases = int(rng.choice((1, 2, 3), p=(0.15, 0.15, 0.7)))
        return PowerOutage(start=start, end=start + round(lasts_s * SECOND), dead=dead, phases=phases)


class FedLight(SurroundedDevice[Light]):
    """A lamp on a feed. While only its phase is off, its meter stands before an open contactor.

    Must not be asked while it is dead: a dead controller measures nothing (see life).
    """

    def __init__(self, lamp: Light, circuit: Circuit, feed: SupplyFeed, place: int) -> None:
        super().__init__(lamp)
        self._circuit = circuit
        self._feed = feed
        self._place = place
        self._now = 0
        self._outage: PowerOutage | None = None

    @property
    def lamp(self) -> Light:
        """The lamp itself."""
        return self._inner

    def is_dead(self, now: int) -> bool:
        """Tell whether the controller has no power."""
        outage = self._feed.at(now)
        return outage is not None and outage.dead and outage.hits(self._place)

    def step(self, now: int) -> bool:
        """Follow lamp and feed; True when either is reported at once."""
        self._now = now
        outage = self._feed.at(now)
        changed, self._outage = outage != self._outage and not self.is_dead(now), outage
        return self._inner.step(now) or changed

    def measure(self) -> dict[str, Value]:
        """Return what its sensors say."""
        values = self._inner.measure()
        if not self._is_unfed():
            return values
        return values | {
            "power_w": sensed(0.6 + 0.002 * float(values["voltage_v"] or 0.0), 1),
            "voltage_v": sensed(float(values["tilt_deg"] or 0.0) + 1.0, 1),
            "current_a": 0.0,
            "power_factor": 0.35,
        }

    def _is_unfed(self) -> bool:
        return self._outage is not None and self._outage.hits(self._place)

    def truth(self) -> Mapping[str, Truth]:
        """Return what is wrong with the lamp, and whether its voltage is not that of its neighbours.

        While its circuit has no power nobody can see what else it has.
        """
        apart_v = abs(self._inner.voltage_v - self._circuit.voltage_v(self._now) + _USUAL_DROP_V)
        truth = {
            **self._inner.truth(),
            "light-voltage-apart": _apart(apart_v),
        }
        if self._outage is None:
            return truth
        hidden = {rule: replace(state, hidden=rule not in _SLOW) for rule, state in truth.items()}
        if not self._outage.dead:
            # Lamps with and without power on one street do differ, whichever of them are the fewer. Where
            # none has any, none is unlike the others: what is so once power is back has begun again.
            none = self._outage.phases == PHASES and self._now - self._outage.start > _OVER_US
            hidden["light-voltage-apart"] = Truth(holds=not none, hidden=True)
        if self._is_unfed():
            hidden["light-under-voltage"] = Truth(holds=True, hidden=True)
        return hidden


def _apart(volts: float) -> Truth:
    return Truth(holds=volts > _APART_V, near=volts > _APART_V - 1.0, hidden=volts <= _CLEARLY_APART_V)
