"""One waste container: what people throw in, the truck, fire, weather, sensor and battery.

Pure. The true fill is in percent of the usable depth and may exceed 100; what is reported is the echo
distance of an ultrasonic sensor, which a rule must make sense of without our help.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.cell import EMPTY, KNEE, BatteryCell
from firmware_sim.physics.echo import EchoSensor
from firmware_sim.physics.flight import Point, position
from firmware_sim.physics.model import (
    DAY_S,
    HOUR_S,
    REJECTED,
    SECOND,
    CommandAnswer,
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
_HOT_C = 70.0
_FALLEN_DEG = 45.0
_AWAY_M = 30.0
_TRUCK_S = 90.0
_SENSOR_FAILED_C = -127.0
_FIX_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BinSite:
    """Where a bin stands and how it is used.

    fill_pct_per_day: mean filling in points a day. collect_hours: local hours at which the truck passes.
    local_hour: the town's clock, from an instant to (weekday with Monday 0, hour with fraction).
    slow_truck: share of collections in which the bin hangs on the lift for minutes. sunshine_c: how much
    warmer than the air the sun makes it. home: where it stands, for a bin with a position sensor.
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
    slow_truck: float = 0.0
    sunshine_c: float = 9.0
    home: Point | None = None


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
        self.cell = BatteryCell(charge=site.first_charge)
        self.echo = EchoSensor(site.install_height_mm, site.usable_depth_mm)
        self.burning = False
        self._flame_c, self._kindles_s = FLAME_C, 75.0
        self._tipped = False
        self._lies_deg = 88.0
        self._unused = False
        self._away: Point = (0.0, 0.0)
        self._fix_at = 0
        self._truck_until: int | None = None
        self._lift_s = _TRUCK_S - 25.0
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
        self.cell.step(dt)
        noticed, self._noticed = self._noticed, (self.tilt_deg > 30.0, self.temperature_c > 60.0)
        return self._noticed != noticed

    def _throw_in(self, weekday: int, hour: float, dt: float) -> None:
        weight = self._site.profile[int(hour)] * 24.0 / sum(self._site.profile) * WEEKDAY[weekday]
        expected = self._site.fill_pct_per_day * weight * dt / DAY_S
        bags = int(self._rng.poisson(expected / 0.6)) if not (self._tipped or self._unused) else 0
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
            self.tilt_deg = self._lies_deg if self._tipped else self._rest_deg
            return
        left = (self._truck_until - now) / SECOND
        self._lid_open = left > 0
        lifted = 20.0 < left < self._lift_s
        self.tilt_deg = float(self._rng.uniform(95.0, 140.0)) if lifted else self._rest_deg
        if left <= 65.0:
            self.fill_pct = min(self.fill_pct, float(self._rng.uniform(0.0, 4.0)))
            self.burning = False
        if left <= 0:
            self._truck_until = None

    def _call_truck(self, now: int) -> None:
        stays_s = _TRUCK_S
        if self._site.slow_truck and self._rng.random() < self._site.slow_truck:
            stays_s = float(self._rng.uniform(150.0, 480.0))
        self._lift_s = stays_s - 25.0
        self._truck_until = now + int(stays_s * SECOND)

    def _heat(self, now: int, dt: float) -> None:
        sunshine = max(0.0, self._weather.sun_deg(now)) / 90.0
        shell = self._weather.temperature_c(now) + self._site.sunshine_c * sunshine
        if self.burning:
            self.temperature_c = settle(self.temperature_c, self._flame_c, dt, self._kindles_s)
            self.fill_pct = max(10.0, self.fill_pct - 30.0 * dt / HOUR_S)
        else:
            self.temperature_c = settle(self.temperature_c, shell, dt, 240.0)

    def measure(self) -> dict[str, Value]:
        """Return what the sensors say, lost echoes and error codes included."""
        now, noise, luck = self._now or 0, self._rng.normal(0.0, 1.0, 5), self._rng.random()
        values: dict[str, Value] = {
            "distance_mm": self.echo.distance_mm(
                now, self.fill_pct, self.tilt_deg, float(noise[0]), self._rng
            ),
            "temperature_c": sensed(self.temperature_c + 0.03 * noise[1], 1),
            "tilt_deg": sensed(min(180.0, abs(self.tilt_deg + 0.2 * noise[2])), 1),
            "lid_open": self._lid_open,
            "battery_v": sensed(self.cell.volts(self.temperature_c, self._rng), 3),
            "battery_pct": sensed(100.0 * self.cell.charge, 0),
            "rssi_dbm": sensed(-92.0 + 4.0 * noise[3], 0),
            "snr_db": sensed(6.0 + 2.0 * noise[4], 1),
        }
        if luck < 2e-5:
            values["temperature_c"] = _SENSOR_FAILED_C
        if self._site.extras:
            litres = self._site.volume_l * self.fill_pct / 100.0
            values["weight_kg"] = sensed(max(0.0, 0.11 * litres + 0.5 * noise[0]), 1)
            values["methane_ppm"] = sensed(max(0.0, 4.0 + 0.3 * self.fill_pct + noise[1]), 0)
        if self._site.home is not None and now >= self._fix_at:
            self._fix_at = now + round(_FIX_EVERY_S * SECOND)
            values |= self._fix(self._site.home)
        return values

    def _fix(self, home: Point) -> dict[str, Value]:
        """Return a position as a receiver between houses finds it: some metres off, rarely a street off."""
        strays = float(self._rng.uniform(30.0, 80.0)) if self._rng.random() < 0.001 else 0.0
        east, north = self._rng.normal(0.0, 4.0, 2)
        lat, lon = position(home, (self._away[0] + float(east) + strays, self._away[1] + float(north)))
        return {"lat": sensed(lat, 6), "lon": sensed(lon, 6)}

    def interval_s(self) -> float:
        """Report every ten minutes, once a minute while hot or on its side."""
        return min(self._interval, 60.0) if any(self._noticed) else self._interval

    def tick_s(self) -> float:
        """The truck is there for ninety seconds; otherwise little happens between two reports."""
        busy = self._truck_until is not None or self.burning or any(self._noticed)
        return 30.0 if busy else min(300.0, max(30.0, self._interval))

    def truth(self) -> Mapping[str, Truth]:
        """What is really wrong with this bin."""
        cell, burning = self.cell, self.burning
        away = math.hypot(*self._away)
        fallen = self._tipped and self._lies_deg > _FALLEN_DEG
        return {
            # Waste that settles below the brim still waits for the truck.
            "bin-overflow": Truth(
                holds=self.fill_pct >= _FULL_PCT,
                near=self._overflowed or self.fill_pct >= _FULL_PCT - 1.5,
                hidden=self.echo.blind or self.tilt_deg > 30.0,
            ),
            # What smoulders is a fire, too; not before it is hot can its sensor tell it from the sun.
            "bin-fire": Truth(
                holds=burning,
                near=burning or self.temperature_c > 45.0,
                hidden=self._flame_c < FLAME_C and self.temperature_c <= _HOT_C,
            ),
            "bin-tipped": Truth(holds=fallen),
            # A cell that drains within days is as good as empty, though its voltage does not show it yet.
            "bin-battery-low": Truth(
                holds=cell.left < EMPTY or cell.leak_per_s > 0.0,
                near=cell.left < KNEE,
                hidden=cell.left >= EMPTY,
            ),
            "bin-moved": Truth(
                holds=self._site.home is not None and away > _AWAY_M,
                near=away > _AWAY_M - 5,
                every_s=_FIX_EVERY_S,
            ),
            # One that stands still in its blind zone is blocked to everybody, and looks like a full bin.
            "bin-sensor-frozen": Truth(holds=self.echo.frozen, hidden=self.echo.stuck_near),
            "bin-sensor-blocked": Truth(
                holds=self.echo.blocked or self.echo.stuck_near, hidden=not self.echo.blocked
            ),
        }

    def ready(self, cause: str) -> bool:
        """Any cause may start unless the truck is at work."""
        return self._truck_until is None

    def begin(self, cause: str) -> None:
        """Begin what is named; how badly, is drawn for the causes of a long run."""
        match cause:
            case "fire":
                self.burning, self._flame_c, self._kindles_s = True, FLAME_C, 75.0
            case "smoulder":
                self.burning = True
                self._flame_c = 10.0 ** float(self._rng.uniform(math.log10(78.0), math.log10(410.0)))
                self._kindles_s = float(self._rng.uniform(60.0, 900.0))
            case "tipped":
                self._tipped, self._lies_deg = True, 88.0
            case "lean":
                self._fall(float(self._rng.uniform(46.0, 100.0)))
            case "weak_cell":
                self.cell.weak = True
            case "leaky_cell":
                self.cell.leak(self._rng)
            case "moved":
                self._away = self._dragged()
            case "frozen_echo":
                self.echo.frozen = True
            case "blocked_echo":
                self.echo.blocked = True
            case "unused":
                self._unused = True
            case "truck":
                self._call_truck(self._now or 0)

    def _fall(self, lies_deg: float) -> None:
        """Fall over and spill; three in ten only stand on a kerb."""
        kerb = self._rng.random() < 0.3
        self._tipped = True
        self._lies_deg = float(self._rng.uniform(8.0, 27.0)) if kerb else lies_deg
        if not kerb:
            self.fill_pct = min(self.fill_pct, float(self._rng.uniform(10.0, 50.0)))

    def _dragged(self) -> Point:
        """Return where somebody dragged it; three in ten stay near."""
        near = self._rng.random() < 0.3
        metres = float(self._rng.uniform(3.0, 15.0) if near else self._rng.uniform(31.0, 200.0))
        bearing = float(self._rng.uniform(0.0, 2 * math.pi))
        return metres * math.sin(bearing), metres * math.cos(bearing)

    def end(self, cause: str) -> None:
        """Extinguish, put upright or back, repair, or change the cell."""
        match cause:
            case "fire" | "smoulder":
                self.burning = False
            case "tipped" | "lean":
                self._tipped = False
            case "weak_cell" | "leaky_cell":
                self.cell.change()
            case "moved":
                self._away = (0.0, 0.0)
            case "frozen_echo":
                self.echo.frozen = False
            case "blocked_echo":
                self.echo.blocked = False
            case "unused":
                self._unused = False

    def command(self, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Obey set_interval and calibrate."""
        if name == "set_interval":
            every = number(args, "interval_s", 1, 86400)
            if every is None:
                return CommandAnswer(status="failed", detail="interval_s: 1..86400")
            self._interval = every
            return CommandAnswer(status="succeeded", result={"interval_s": every})
        if name == "calibrate":
            return CommandAnswer(status="succeeded", result={"empty_mm": self._site.install_height_mm})
        return REJECTED
