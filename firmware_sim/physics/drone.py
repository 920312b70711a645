"""One irrigation drone: missions over its zone, and what they cost in energy.

Pure. Its battery is physics/pack.py's, what is sprayed physics/sprayer.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from firmware_sim.physics.airframe import AirframeFaults
from firmware_sim.physics.flight import FlightFence, Motion, Point, Zone, distance, position
from firmware_sim.physics.model import (
    HOUR_S,
    REJECTED,
    SECOND,
    CommandAnswer,
    Truth,
    Value,
    number,
    sensed,
)
from firmware_sim.physics.pack import CAPACITY_WH, BatteryPack, flight_w
from firmware_sim.physics.sprayer import CLOGGED, EMPTY_L, SWATH_M, TANK_L, Sprayer
from firmware_sim.physics.weather import Weather

_ALTITUDE_M = 3.0
_TRANSIT_MPS, _SPRAY_MPS, _AWAY_MPS = 8.0, 4.0, 9.0
_GO_HOME, _EMERGENCY = 0.30, 0.025
"""State of charge at which the autopilot turns back, and at which it lands where it is."""
_RESERVE = 0.05
_MARGIN = 1.3
"""By how much more than the way home takes a pilot wants to have left, besides the reserve."""
_CEILING_M = 30.0
_ASTRAY_M = 0.25
"""Beyond the field's edge is somebody else's land: by how much more than its position is uncertain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DroneSite:
    """Where a drone is based (latitude, longitude), what it treats and how much, and its first take-off.

    hours: the hours of the day, UTC, within which missions begin; None for all day long.
    """

    name: str
    home: Point
    zone: Zone
    fence: FlightFence
    target_l_ha: float
    first_takeoff_s: float
    first_cycles: int
    hours: tuple[float, float] | None = None


class Drone:
    """An aircraft with its autopilot."""

    def __init__(
        self, site: DroneSite, weather: Weather, interval_cap_s: float | None, rng: np.random.Generator
    ) -> None:
        self._site = site
        self._weather = weather
        self._rng = rng
        self._docked_s = min(60.0, interval_cap_s or 60.0)
        self._now: int | None = None
        self._causes: set[str] = set()
        self._route: list[Point] = []
        self._missions = 0
        self._wait_s = site.first_takeoff_s
        self._hold_s = 0.0
        self._homeward = False
        self._go_home = _GO_HOME
        self.phase = "docked"
        self.motion = Motion()
        self._wind_mps = 0.0
        self.pack = BatteryPack(cycles=site.first_cycles)
        self.sprayer = Sprayer(dose_l_ha=site.target_l_ha)
        self.troubles = AirframeFaults()

    def step(self, now: int) -> bool:
        """Fly until `now`, second by second, or rest in longer steps; True when the phase changed."""
        if self._now is None:
            self._now, self.pack.celsius = now, self._weather.temperature_c(now)
            self._wind_mps = self._weather.wind_mps(now)
        was = self.phase
        while self._now < now:
            rests = self.phase in ("docked", "fault")
            longest = min(60.0, max(1.0, self._wait_s)) if rests else 1.0
            dt = min(longest, (now - self._now) / SECOND)
            self._now += round(dt * SECOND)
            self._move(dt)
            self._spray(dt)
            self._drain(dt)
        return self.phase != was

    def _move(self, dt: float) -> None:
        motion = self.motion
        if self._hold_s > 0 and self.phase in ("transit", "spraying"):
            self._hold_s -= dt
            motion.hover(dt)
            return
        match self.phase:
            case "docked" | "fault":
                self._rest(dt)
            case "takeoff":
                if motion.climb_to(_ALTITUDE_M, dt):
                    self.phase = "transit"
            case "transit":
                self._transit(dt)
            case "spraying":
                motion.climb_to(self.troubles.climbs_to_m or _ALTITUDE_M, dt)
                self._follow_rows(dt)
            case "returning":
                if motion.fly_to((0.0, 0.0), _TRANSIT_MPS, dt):
                    self.phase = "landing"
            case _:
                if motion.climb_to(0.0, dt):
                    self._landed()

    def _rest(self, dt: float) -> None:
        self._wait_s -= dt
        if self._wait_s > 0:
            return
        closed_s = self._closed_s()
        if closed_s > 0 and self.phase == "docked":
            self._wait_s = closed_s
            return
        if self.phase == "fault":
            self.phase, self._wait_s = "docked", 300.0
        self._service()
        self._missions += 1
        self._route = self._site.zone.rows(SWATH_M)
        self.phase = "takeoff"

    def _closed_s(self) -> float:
        """Return the seconds until missions may begin again; 0 when they may."""
        if self._site.hours is None:
            return 0.0
        first, last = self._site.hours
        hour = (self._now or 0) / SECOND / HOUR_S % 24.0
        return 0.0 if first <= hour < last else (first - hour) % 24.0 * HOUR_S + 1.0

    def _service(self) -> None:
        """Fill the tank, change the battery when it is worn."""
        self.motion = Motion()
        self.sprayer.tank_l = TANK_L
        self.pack.service()
        self._homeward = False

    def _transit(self, dt: float) -> None:
        if "runaway" in self._causes:
            fence = self._site.fence
            self.motion.fly_to((self.motion.at[0], fence.south - 45.0), _AWAY_MPS, dt)
        elif self._homeward:
            self.phase = "returning"
        elif self.motion.fly_to(self._route[0], _TRANSIT_MPS, dt):
            self.phase = "spraying"

    def _follow_rows(self, dt: float) -> None:
        charge = self.pack.charge
        turn_back = charge < self._go_home and "deaf" not in self._causes
        if "runaway" in self._causes:
            self.phase = "transit"
        elif "deaf" in self._causes and charge < _EMERGENCY:
            self._homeward, self.phase = True, "landing"
        elif self.sprayer.tank_l <= EMPTY_L or turn_back or not self._route:
            if "deaf" not in self._causes:
                self.phase = "returning"
            else:
                self.motion.hover(dt)
        elif self.motion.fly_to(self.troubles.shifted(self._route[0]), _SPRAY_MPS, dt):
            self._route.pop(0)

    def _landed(self) -> None:
        home = distance(self.motion.at, (0.0, 0.0)) < 3.0
        self.phase = "docked" if home else "fault"
        self.motion.speed = 0.0
        self._wait_s = float(self._rng.uniform(240.0, 600.0)) if home else 900.0

    def _spray(self, dt: float) -> None:
        on = self.phase == "spraying" and self._hold_s <= 0
        rate = self._site.target_l_ha * (1.5 if "wrong_rate" in self._causes else self.troubles.rate)
        self.sprayer.open_share = CLOGGED if "clogged" in self._causes else self.troubles.open_share
        self.sprayer.leak_lpm, self.sprayer.stopped = self.troubles.leak_lpm, self.troubles.pump_stopped
        self.sprayer.step(dt, self.motion.speed, rate if on else 0.0)
        if not on:
            self.sprayer.dose_l_ha = self._site.target_l_ha

    def _drain(self, dt: float) -> None:
        now = self._now or 0
        self._wind_mps = self._weather.wind_mps(now)
        airborne = self.phase not in ("docked", "fault")
        flies_w = flight_w(self.sprayer, self._airspeed()) if airborne else None
        self.pack.drain(dt, flies_w, self._weather.temperature_c(now), self.troubles.hotter_c)

    def _airspeed(self) -> float:
        meets = math.radians(self._weather.wind_from_deg(self._now or 0) - self.motion.heading_deg)
        return self.motion.speed + self._wind_mps * math.cos(meets)

    def _needed_home_wh(self) -> float:
        """Energy to fly home against the wind from here, and to land."""
        wind = self._wind_mps
        flight_s = distance(self.motion.at, (0.0, 0.0)) / _TRANSIT_MPS
        landing_s = self.motion.altitude / 1.5 + 5.0
        way_w, landing_w = flight_w(self.sprayer, _TRANSIT_MPS + wind), flight_w(self.sprayer, wind)
        return (way_w * flight_s + landing_w * landing_s) / HOUR_S

    def measure(self) -> dict[str, Value]:
        """Return what the autopilot says."""
        noise = self._rng.normal(0.0, 1.0, 12)
        airborne = self.phase not in ("docked", "fault")
        fix = self._fix()
        blur = 0.05 if fix >= 3.0 else 3.0
        at = (self.motion.at[0] + blur * float(noise[0]), self.motion.at[1] + blur * float(noise[1]))
        lat, lon = position(self._site.home, at)
        pack, sprayer = self.pack, self.sprayer
        slosh = 0.12 * float(noise[9]) * min(1.0, sprayer.tank_l / 5.0) if airborne else 0.0
        shake = 7.0 + 0.3 * self.motion.speed if airborne else 0.05
        return {
            "lat": sensed(lat, 7),
            "lon": sensed(lon, 7),
            "alt_m": sensed(self.motion.altitude + 0.04 * float(noise[2]), 2),
            "heading_deg": sensed(self.motion.heading_deg, 1),
            "speed_mps": sensed(abs(self.motion.speed + 0.03 * float(noise[3])) if airborne else 0.0, 2),
            "flight_phase": self.phase,
            "mission": f"{self._site.name}-{self._missions:04d}" if airborne else None,
            "zone": self._site.zone.name if self.phase == "spraying" else None,
            "battery_pct": sensed(100.0 * pack.energy_wh / CAPACITY_WH, 1),
            "battery_v": sensed(pack.volts() + 0.02 * float(noise[4]), 2),
            "battery_temperature_c": sensed(pack.celsius + 0.1 * float(noise[5]), 1),
            "cell_spread_v": sensed(pack.spread_v(self.troubles) + 0.002 * abs(float(noise[6])), 3),
            "battery_cycles": float(pack.cycles),
            "tank_l": sensed(max(0.0, sprayer.tank_l + slosh), 2),
            "flow_lpm": sensed(max(0.0, sprayer.flow_lpm * (1.0 + 0.01 * float(noise[7]))), 2),
            "pressure_bar": sensed(max(0.0, sprayer.pressure_bar * (1.0 + 0.01 * float(noise[8]))), 2),
            "gnss_fix": fix,
            "satellites": sensed(24.0 + 1.2 * float(noise[10]) if fix >= 3.0 else 5.0, 0),
            "wind_mps": sensed(max(0.0, self._wind_mps + 0.2 * float(noise[10])), 1),
            "vibration_mps2": sensed(abs(shake * (1.0 + 0.08 * float(noise[11]))), 2),
            "rssi_dbm": sensed(-60.0 - 0.03 * distance(self.motion.at, (0.0, 0.0)) + 2 * float(noise[2]), 0),
        }

    def _fix(self) -> float:
        """RTK fixed, float now and then, 2D for a single reading in a thousand; worse when jammed."""
        luck = float(self._rng.random())
        if self.troubles.jammed:
            return float(int(3 * luck))
        return 6.0 if luck > 0.003 else 4.0 if luck > 0.001 else 2.0

    def interval_s(self) -> float:
        """Report at 1 Hz in the air, once a minute on the ground."""
        return self._docked_s if self.phase in ("docked", "fault") else 1.0

    def tick_s(self) -> float:
        """A docked drone may take off within seconds."""
        if self.phase in ("docked", "fault"):
            return max(1.0, min(60.0, self._wait_s))
        return 1.0

    def truth(self) -> Mapping[str, Truth]:
        """What is really wrong with this flight."""
        airborne = self.phase in ("takeoff", "transit", "spraying", "returning", "landing")
        need, left, troubles = self._needed_home_wh(), self.pack.energy_wh, self.troubles
        spread, limit = self.pack.spread_v(troubles), 0.30 if airborne else 0.10
        high = self.motion.altitude
        return {
            "drone-battery-low": Truth(
                holds=airborne and left < _MARGIN * need + _RESERVE * CAPACITY_WH,
                near=airborne and left < 2.0 * need + 0.15 * CAPACITY_WH,
            ),
            "drone-geofence": Truth(
                holds=airborne and not self._site.fence.contains(self.motion.at),
                near="runaway" in self._causes,
            ),
            "drone-cell-imbalance": Truth(holds=spread > limit, near=troubles.rest_v > 0.10),
            "drone-hot-battery": Truth(holds=self.pack.celsius > 60.0, near=self.pack.celsius > 52.0),
            "drone-altitude": Truth(holds=airborne and high > _CEILING_M, near=airborne and high > 28.0),
            "drone-poor-fix": Truth(holds=airborne and troubles.jammed),
            # One step away from it: only its electronics know whether it is mute.
            "drone-lost-link": Truth(holds=False, near=airborne),
            **self._spraying_truth(),
        }

    def _spraying_truth(self) -> dict[str, Truth]:
        sprayer, troubles = self.sprayer, self.troubles
        spraying = self.phase == "spraying" and sprayer.tank_l > EMPTY_L and self._hold_s <= 0
        off = abs(sprayer.dose_l_ha / self._site.target_l_ha - 1.0)
        short = sprayer.flow_lpm < 0.7 * sprayer.wanted_lpm
        clogged = "clogged" in self._causes or troubles.open_share < 1.0
        outside_m = self._site.zone.outside_m(self.motion.at)
        leaks = troubles.leak_lpm >= 1.0 and sprayer.tank_l > EMPTY_L
        return {
            "drone-clogged-nozzle": Truth(holds=spraying and clogged and short, near=spraying and clogged),
            "drone-wrong-dose": Truth(holds=spraying and off > 0.15, near=spraying and off > 0.11),
            "drone-leak": Truth(holds=leaks, near=troubles.leak_lpm >= 1.0),
            "drone-pump-failure": Truth(holds=spraying and troubles.pump_stopped, near=troubles.pump_stopped),
            "drone-off-target": Truth(
                holds=spraying and sprayer.flow_lpm > 0.5 and outside_m > _ASTRAY_M,
                near=spraying and outside_m > 0.0,
            ),
        }

    def ready(self, cause: str) -> bool:
        """Nozzles clog and pilots lose an aircraft while it sprays."""
        return self.phase == "spraying" and 10.0 < self.sprayer.tank_l < 39.5

    def begin(self, cause: str) -> None:
        """Clog the nozzles, load a wrong rate, run away, wear out the pack under a deaf autopilot, ..."""
        self._causes.add(cause)
        if cause == "deaf":
            self.pack.energy_wh = min(self.pack.energy_wh, 0.14 * CAPACITY_WH)
        else:
            self.troubles.begin(cause, self._rng)

    def end(self, cause: str) -> None:
        """Repair it; an aircraft that ran away turns round."""
        self._causes.discard(cause)
        self.troubles.end(cause)
        self._homeward = self._homeward or cause == "runaway"

    def command(self, name: str, args: Mapping[str, object]) -> CommandAnswer:
        """Obey return_home, hold (for two minutes), set_return_below_pct and set_interval (on the ground)."""
        flying = self.phase in ("takeoff", "transit", "spraying", "returning")
        match name:
            case "return_home" if flying:
                self._hold_s, self.phase = 0.0, "returning"
            case "hold" if flying:
                self._hold_s = 120.0
            case "return_home" | "hold":
                return CommandAnswer(status="failed", detail=f"not flying: {self.phase}")
            case "set_return_below_pct":
                level = number(args, "return_below_pct", 15, 60)
                if level is None:
                    return CommandAnswer(status="failed", detail="return_below_pct: 15..60")
                self._go_home = level / 100.0
            case "set_interval":
                every = number(args, "interval_s", 1, 3600)
                if every is None:
                    return CommandAnswer(status="failed", detail="interval_s: 1..3600")
                self._docked_s = every
            case _:
                return REJECTED
        return CommandAnswer(status="succeeded")
