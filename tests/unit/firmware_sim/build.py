"""Builders of simulated devices for these tests: plain sites, no wind of chance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from devices import kinds
from firmware_sim.physics.bin import HOMES, Bin, BinSite
from firmware_sim.physics.drone import Drone, DroneSite
from firmware_sim.physics.flight import Zone, fence_around
from firmware_sim.physics.grid import Circuit
from firmware_sim.physics.light import LampSite, Light
from firmware_sim.physics.model import SECOND, Physics
from firmware_sim.physics.weather import make_weather
from firmware_sim.specs import local_clock
from firmware_sim.town import Town, make_town

KINDS = kinds.load()
LAT, LON = 34.4367, 35.8497
WEATHER = make_weather(1, LAT, LON)
HOME = (34.42, 35.87)


def at(text: str) -> int:
    """Return an ISO instant in UTC as microseconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


NOON = at("2026-06-15 10:00")
MIDNIGHT = at("2026-06-15 19:30")


def make_bin(**site: Any) -> Bin:
    plain: dict[str, Any] = {
        "install_height_mm": 1500.0,
        "usable_depth_mm": 1200.0,
        "volume_l": 1100.0,
        "fill_pct_per_day": 30.0,
        "profile": HOMES,
        "collect_hours": (),
        "missed_collection": 0.0,
        "first_fill_pct": 20.0,
        "first_charge": 0.9,
        "extras": False,
        "local_hour": local_clock("Asia/Beirut"),
    }
    return Bin(BinSite(**(plain | site)), WEATHER, None, np.random.default_rng(3))


def make_light(rated_power_w: float = 100.0) -> Light:
    site = LampSite(
        rated_power_w=rated_power_w,
        first_energy_kwh=500.0,
        first_burn_hours=1000.0,
        local_hour=local_clock("Asia/Beirut"),
    )
    return Light(site, Circuit("C1", 1, LON), WEATHER, None, np.random.default_rng(4))


def make_drone(target_l_ha: float = 100.0, *, far: bool = False) -> Drone:
    away = 500.0 if far else 20.0
    zone = Zone(name="A", east=away, north=10.0, width=100.0, depth=40.0)
    site = DroneSite(
        name="D1",
        home=HOME,
        zone=zone,
        fence=fence_around(zone, 20.0),
        target_l_ha=target_l_ha,
        first_takeoff_s=1.0,
        first_cycles=5,
    )
    return Drone(site, WEATHER, None, np.random.default_rng(5))


def live(device: Physics, start: int, seconds: float, every_s: float = 10.0) -> int:
    """Step a device from `start` for some simulated seconds; return the last instant."""
    now = start
    for _ in range(int(seconds / every_s) + 1):
        device.step(now)
        now += round(every_s * SECOND)
    return now


def small_town(seed: int = 7, **settings: Any) -> Town:
    numbers: dict[str, Any] = {"bins": 20, "lights": 8, "drones": 2, "interval_cap_s": 5.0}
    return make_town(seed, KINDS, **(numbers | settings))
