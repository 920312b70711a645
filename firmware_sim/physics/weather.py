"""The weather above one town: temperature, wind and daylight as functions of time and seed.

Pure functions of the instant, so that devices may be stepped in any order and still feel the same wind.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from firmware_sim.physics.model import DAY_S, SECOND, generator
from firmware_sim.physics.sun import elevation_deg


@dataclass(frozen=True, slots=True)
class Weather:
    """Weather of a place; `phases` are six random angles that make two seeds differ."""

    lat: float
    lon: float
    phases: tuple[float, ...]

    def temperature_c(self, now: int) -> float:
        """Air temperature: season, time of day (warmest about 15 h solar time), and slow fronts."""
        seconds = now / SECOND
        year = math.cos(2 * math.pi * (seconds / (365.2425 * DAY_S) - 0.56))
        solar_day = (seconds + self.lon * 240.0) / DAY_S
        day = math.cos(2 * math.pi * (solar_day - 15 / 24))
        front = math.sin(2 * math.pi * seconds / (4.7 * DAY_S) + self.phases[0])
        return 20.0 + 7.0 * year + 4.0 * day + 2.0 * front

    def wind_mps(self, now: int) -> float:
        """Mean wind with gusts at drone height; never below calm."""
        seconds = now / SECOND
        sea_breeze = math.sin(2 * math.pi * seconds / DAY_S + self.phases[1])
        gusts = (
            math.sin(2 * math.pi * seconds / 47.0 + self.phases[2])
            + 0.6 * math.sin(2 * math.pi * seconds / 13.0 + self.phases[3])
            + 0.3 * math.sin(2 * math.pi * seconds / 5.3 + self.phases[4])
        )
        return max(0.2, 3.0 + 1.2 * sea_breeze + 0.6 * gusts)

    def wind_from_deg(self, now: int) -> float:
        """Direction the wind comes from: south-west on this coast, veering slowly."""
        return (235.0 + 40.0 * math.sin(2 * math.pi * now / SECOND / 21_600.0 + self.phases[5])) % 360.0

    def sun_deg(self, now: int) -> float:
        """Sun elevation over the town."""
        return elevation_deg(now, self.lat, self.lon)

    def daylight_lux(self, now: int) -> float:
        """Illuminance of a clear sky; about 3.4 lx at civil dusk, 100,000 lx at noon."""
        height = self.sun_deg(now)
        if height > 0:
            return 700.0 + 110_000.0 * math.pow(math.sin(math.radians(height)), 1.1)
        return 700.0 * math.exp(height * 0.9)


def make_weather(seed: int, lat: float, lon: float) -> Weather:
    """Return the weather that belongs to a seed."""
    angles = generator(seed, "weather").uniform(0.0, 2 * math.pi, 6)
    return Weather(lat, lon, tuple(float(a) for a in angles))
