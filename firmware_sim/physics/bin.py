"""One waste container: what people throw in, the truck, fire, weather, sensor and battery.

Pure. The true fill is in percent of the usable depth and may exceed 100; what is reported is the echo
distance of an ultrasonic sensor, which a rule must make sense of without our help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.model import (
    DAY_S,
    HOUR_S,
    REJECTED,
    SECOND,
    Answer,
    Truth,
    Value,
    number,
    sensed,
    settle,
)
from firmware_sim.physics.weather import Weather

HOMES = (1, 1, 0, 0, 0, 1, 4, 8, 6, 4, 4, 5, 6, 6, 5, 4, 4, 5, 7, 9, 9, 7, 4, 2)
"""Relative weight of each local hour where people live."""
SQUARES = (4, 2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 9, 10, 10, 8, 8, 8, 9, 10, 11, 11, 10, 8, 6)
"""The same on a square with shops and cafés."""
WEEKDAY = (1.0, 0.95, 0.95, 1.0, 1.1, 1.25, 1.15)
"""Factor by weekday, Monday first: markets and families on Saturday and Sunday."""

FLAME_C = 420.0
_FULL_PCT = 85.0
_BLIND_ZONE_MM = 200.0
_TRUCK_S = 90.0
_NO_ECHO, _LOST_ECHO = 65535.0, 0.0
_SENSOR_FAILED_C = -127.0
_KNEE = 0.12
"""State of charge under which a lithium thionyl chloride cell starts to collapse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BinSite:
    """Where a bin stands and how it is used.

    fill_pct_per_day: mean filling in points a day. collect_hours: local hours at which the truck passes.
    local_hour: the town's clock, from an instant to (weekday with Monday 0, hour with fraction).
    """

    install_height_mm: float
    usable_depth_mm: float
    volume_l: float
    fill_pct_per_day: float
    profile: tuple[int, ...]
    collect_hours: tuple[float, ...]
    missed_collection: float
    first_fill_pct: float
    first_charge: float
    extras: bool
    local_hour: Callable[[int], tuple[int, float]]


class Bin:
    """A container with its sensor; see BinSite for what makes two of them differ."""

    def __init__(
        self, site: BinSite, weather: Weather, interval_cap_s: float | None, rng: np.random.Generator
    ) -> None:
        self._site = site
        self._weather = weather
        self._rng = rng
        self._interval = min(600.0, interval_cap_s or 600.0)
        self._now: int | None = None
        self._hour = -1.0
        self.fill_pct = site.first_fill_pct
        self.temperature_c = 20.0
        self.tilt_deg = float(rng.uniform(0.2, 3.0))
        self._rest_deg = self.tilt_deg
        self.charge = site.first_charge
        self.burning = False
        self._tipped = False
        self._weak_cell = False
        self._truck_until: int | None = None
        self._lid_open = False
        self._noticed = (False, False)
        self._overflowed = site.first_fill_pct >= _FULL_PCT

    def step(self, now: int) -> bool:
        """Fill, burn, cool, tilt and empty until `now`; True when it tilts, heats up, or stops to."""
        if self._now is None:
            self._now = now
            self.temperature_c = self._weather.temperature_c(now)
        dt = (now - self._now) / SECOND
        self._now = now
        weekday, hour = self._site.local_hour(now)
        self._throw_in(weekday, hour, dt)
        self._collect(now, hour)
        self._heat(now, dt)
        self._overflowed = self.fill_pct >= _FULL_PCT or (self._overflowed and self.fill_pct > 70.0)
        self.charge = max(0.0, self.charge - dt / (5 * 365 * DAY_S))
        noticed, self._noticed = self._noticed, (self.tilt_deg > 30.0, self.temperature_c > 60.0)
        return self._noticed != noticed

    def _throw_in(self, weekday: int, hour: float, dt: float) -> None:
        weight = self._site.profile[int(hour)] * 24.0 / sum(self._site.profile) * WEEKDAY[weekday]
        expected = self._site.fill_pct_per_day * weight * dt / DAY_S
        bags = int(self._rng.poisson(expected / 0.6)) if not self._tipped else 0
        self.fill_pct = min(112.0, self.fill_pct + 0.6 * bags)
        self._lid_open = bool(self._rng.random() < 0.01 + 0.02 * min(1, bags))
        if self._rng.random() < 0.5 * dt / DAY_S and self.fill_pct > 20.0:
            self.fill_pct -= float(self._rng.uniform(1.0, 5.0))

    def _collect(self, now: int, hour: float) -> None:
        due = any(self._hour < h <= hour for h in self._site.collect_hours) and self._hour >= 0
        self._hour = hour
        if due and not self._tipped and self._rng.random() >= self._site.missed_collection:
            self._call_truck(now)
        if self._truck_until is None:
            self.tilt_deg = 88.0 if self._tipped else self._rest_deg
            return
        left = (self._truck_until - now) / SECOND
        self._lid_open = left > 0
        self.tilt_deg = float(self._rng.uniform(95.0, 140.0)) if 20.0 < left < 65.0 else self._rest_deg
        if left <= 65.0:
            self.fill_pct = min(self.fill_pct, float(self._rng.uniform(0.0, 4.0)))
            self.burning = False
        if left <= 0:
            self._truck_until = None

    def _call_truck(self, now: int) -> None:
        self._truck_until = now + int(_TRUCK_S * SECOND)

    def _heat(self, now: int, dt: float) -> None:
        sunshine = max(0.0, self._weather.sun_deg(now)) / 90.0
        shell = self._weather.temperature_c(now) + 9.0 * sunshine
        if self.burning:
            self.temperature_c = settle(self.temperature_c, FLAME_C, dt, 75.0)
            self.fill_pct = max(10.0, self.fill_pct - 30.0 * dt / HOUR_S)
        else:
            self.temperature_c = settle(self.temperature_c, shell, dt, 240.0)

    def measure(self) -> dict[str, Value]:
        """Return what the sensors say, lost echoes and error codes included."""
        noise = self._rng.normal(0.0, 1.0, 5)
        luck = self._rng.random(3)
        values: dict[str, Value] = {
            "distance_mm": self._distance(float(noise[0]), float(luck[0])),
            "temperature_c": sensed(self.temperature_c + 0.03 * noise[1], 1),
            "tilt_deg": sensed(min(180.0, abs(self.tilt_deg + 0.2 * noise[2])), 1),
            "lid_open": self._lid_open,
            "battery_v": sensed(self._volts(), 3),
            "battery_pct": sensed(100.0 * self.charge, 0),
            "rssi_dbm": sensed(-92.0 + 4.0 * noise[3], 0),
            "snr_db": sensed(6.0 + 2.0 * noise[4], 1),
        }
        if luck[1] < 2e-5:
            values["temperature_c"] = _SENSOR_FAILED_C
        if self._site.extras:
            litres = self._site.volume_l * self.fill_pct / 100.0
            values["weight_kg"] = sensed(max(0.0, 0.11 * litres + 0.5 * noise[0]), 1)
            values["methane_ppm"] = sensed(max(0.0, 4.0 + 0.3 * self.fill_pct + noise[1]), 0)
        return values

    def _distance(self, noise: float, luck: float) -> float:
        if luck < 0.003:
            return _NO_ECHO if luck < 0.002 else _LOST_ECHO
        height = self._site.install_height_mm
        if self.tilt_deg > 30.0:
            return sensed(min(5900.0, height * (1.3 + 0.2 * abs(noise))), 0)
        surface = height - self._site.usable_depth_mm * self.fill_pct / 100.0
        return sensed(max(_BLIND_ZONE_MM, surface + 3.0 * noise), 0)

    def _volts(self) -> float:
        charge = min(self.charge, 0.06) if self._weak_cell else self.charge
        flat = 3.58 + 0.06 * charge
        knee = flat - (0.75 * (_KNEE - charge) / _KNEE if charge < _KNEE else 0.0)
        return knee + 0.002 * (min(self.temperature_c, 60.0) - 20.0)

    def interval_s(self) -> float:
        """Report every ten minutes, once a minute while hot or on its side."""
        return min(self._interval, 60.0) if any(self._noticed) else self._interval

    def tick_s(self) -> float:
        """The truck is there for ninety seconds."""
        return 30.0

    def truth(self) -> Mapping[str, Truth]:
        """What is really wrong with this bin."""
        charge = min(self.charge, 0.06) if self._weak_cell else self.charge
        return {
            # Waste that settles below the brim still waits for the truck.
            "bin-overflow": Truth(
                holds=self.fill_pct >= _FULL_PCT, near=self._overflowed or self.fill_pct >= _FULL_PCT - 1.5
            ),
            "bin-fire": Truth(holds=self.burning, near=self.temperature_c > 45.0),
            "bin-tipped": Truth(holds=self._tipped),
            "bin-battery-low": Truth(holds=charge < 0.10, near=charge < _KNEE),
        }

    def ready(self, cause: str) -> bool:
        """Any cause may start unless the truck is at work."""
        return self._truck_until is None

    def begin(self, cause: str) -> None:
        """Set it on fire, tip it over, weaken its cell, or send the truck."""
        match cause:
            case "fire":
                self.burning = True
            case "tipped":
                self._tipped = True
            case "weak_cell":
                self._weak_cell = True
            case "truck":
                self._call_truck(self._now or 0)

    def end(self, cause: str) -> None:
        """Extinguish, put upright, or change the cell."""
        match cause:
            case "fire":
                self.burning = False
            case "tipped":
                self._tipped = False
            case "weak_cell":
                self._weak_cell = False
                self.charge = 1.0

    def command(self, name: str, args: Mapping[str, object]) -> Answer:
        """Obey set_interval and calibrate."""
        if name == "set_interval":
            every = number(args, "every_s", 1, 86400)
            if every is None:
                return Answer(status="failed", detail="every_s: 1..86400")
            self._interval = every
            return Answer(status="succeeded", result={"every_s": every})
        if name == "calibrate":
            return Answer(status="succeeded", result={"empty_mm": self._site.install_height_mm})
        return REJECTED
