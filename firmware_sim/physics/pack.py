"""The battery pack of an aircraft: its charge, its heat, and how far its cells are apart.

Pure. Power comes from mass and airspeed. What wears a pack out is physics/airframe.py's.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.physics.airframe import AirframeFaults
from firmware_sim.physics.model import HOUR_S, settle
from firmware_sim.physics.sprayer import Sprayer

CAPACITY_WH = 2200.0
_STANDBY_W = 30.0
_CELLS = 14
_WORN = 0.6
"""Below this share of its charge a pack is changed on the ground."""


def flight_w(sprayer: Sprayer, airspeed: float) -> float:
    """Return the power it takes to fly with this tank at so many m/s through the air."""
    return 2600.0 + 55.0 * sprayer.tank_l + 6.0 * airspeed**2 + 40.0 * sprayer.pressure_bar


@dataclass(slots=True, kw_only=True)
class BatteryPack:
    """energy_wh: what is left. power_w: what it gives at present. cycles: how often it was charged."""

    cycles: int
    energy_wh: float = CAPACITY_WH
    power_w: float = _STANDBY_W
    celsius: float = 25.0

    @property
    def charge(self) -> float:
        """Return what is left, as a share."""
        return self.energy_wh / CAPACITY_WH

    def service(self) -> None:
        """Put another one in when it is worn."""
        if self.energy_wh < _WORN * CAPACITY_WH:
            self.energy_wh = CAPACITY_WH
            self.cycles += 1

    def drain(self, dt: float, flies_w: float | None, ambient_c: float, hotter_c: float) -> None:
        """Give power for `dt` seconds and get warm or cool down.

        Args:
            flies_w: what flying takes, None on the ground.
            hotter_c: how much hotter than others it runs.
        """
        self.power_w = _STANDBY_W if flies_w is None else flies_w
        if flies_w is not None:
            self.energy_wh = max(0.0, self.energy_wh - self.power_w * dt / HOUR_S)
        warm = ambient_c + (24.0 + hotter_c) * self.power_w / 5000.0
        quickly = hotter_c and flies_w is not None
        self.celsius = settle(self.celsius, warm, dt, 300.0 if quickly else 600.0)

    def spread_v(self, troubles: AirframeFaults) -> float:
        """Return how far its cells are apart."""
        weak_v = troubles.rest_v + troubles.load_v * self.power_w / 5000.0
        return 0.015 + 5e-6 * self.power_w + weak_v

    def volts(self) -> float:
        """Return its voltage under the present load."""
        cell = 3.50 + 0.68 * self.charge - 4.0 * max(0.0, 0.10 - self.charge)
        return _CELLS * cell - 0.03 * self.power_w / 52.0
