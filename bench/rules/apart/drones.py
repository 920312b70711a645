"""Drones that do not say in known words what they do, and count their altitude from sea level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.rules.apart.device_class import DeviceClass
from firmware_sim.physics.around import SurroundedDevice
from firmware_sim.physics.drone import Drone
from firmware_sim.physics.model import Value, generator, sensed
from firmware_sim.plan import LONG_RUN
from firmware_sim.specs import SimulatedDevice

_FIELD_M = 240.0
_WORDS = ("AUTO", "fault", None, "upper case")
_RULES = frozenset(
    {
        "drone-battery-low",
        "drone-geofence",
        "drone-altitude",
        "drone-poor-fix",
        "drone-lost-link",
    }
)


class WordlessDrone(SurroundedDevice[Drone]):
    """A drone whose phase in flight is an unknown word, a fault, nothing, or upper case, by chance."""

    def __init__(self, inner: Drone, rng: np.random.Generator) -> None:
        super().__init__(inner)
        self._rng = rng
        self._word: str | None = None
        self._was_flying = False

    def measure(self) -> dict[str, Value]:
        """Return what the autopilot says, in its own words and from sea level."""
        values = self._inner.measure()
        phase, altitude = str(values["flight_phase"]), float(values["alt_m"] or 0.0)
        flying = phase not in ("docked", "fault")
        if flying and not self._was_flying:
            self._word = _WORDS[int(self._rng.integers(len(_WORDS)))]
        self._was_flying = flying
        said: Value = phase if not flying else phase.upper() if self._word == "upper case" else self._word
        return values | {"flight_phase": said, "alt_m": sensed(_FIELD_M + altitude, 2)}


def wordless() -> DeviceClass:
    """Return drones that only height and speed can tell the flight of."""
    return DeviceClass(
        name="drones-wordless",
        kind="drone",
        days_share=0.4,
        mean_days=0.006,
        causes=LONG_RUN["drone"],
        around=_around,
        rules=_RULES,
    )


def _around(device: SimulatedDevice, seed: int) -> SimulatedDevice:
    assert device.physics is not None
    drone = device.physics()
    assert isinstance(drone, Drone)
    wordless = WordlessDrone(drone, generator(seed, "words", device.name))
    return replace(device, physics=lambda: wordless)
