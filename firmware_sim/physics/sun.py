"""Where the sun stands: enough astronomy for a photocell.

Pure. Low-precision solar position of the Astronomical Almanac (good to 0.01 degrees of arc until 2050);
refraction is left out, it does not matter to a lamp.
"""

from __future__ import annotations

import math

from firmware_sim.physics.model import DAY_S, SECOND

_J2000_S = 946_728_000.0
"""2000-01-01T12:00Z in seconds since 1970."""


def elevation_deg(now: int, lat: float, lon: float) -> float:
    """Return the height of the sun's centre above the horizon, in degrees, negative by night."""
    days = (now / SECOND - _J2000_S) / DAY_S
    anomaly = math.radians(357.528 + 0.9856003 * days)
    longitude = math.radians(
        280.460 + 0.9856474 * days + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    obliquity = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    declination = math.asin(math.sin(obliquity) * math.sin(longitude))
    sidereal = math.radians((18.697374558 + 24.06570982441908 * days) * 15.0 + lon)
    hour_angle = sidereal - ascension
    latitude = math.radians(lat)
    height = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(
        declination
    ) * math.cos(hour_angle)
    return math.degrees(math.asin(max(-1.0, min(1.0, height))))
