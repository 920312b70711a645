"""The sun's elevation, over whole columns.

The NOAA solar calculator's formulas (after Meeus, Astronomical Algorithms, ch. 25), without refraction.
astral computes the same for one instant at a time, and is what the tests compare with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HORIZON_DEG = -0.833
"""The sun's centre at sunrise and sunset: half its disc and the refraction at the horizon."""

_J2000_US = 946_728_000_000_000
_CENTURY_US = 36525 * 86_400_000_000
_MINUTE_US = 60_000_000


def elevation_deg(instants: NDArray[np.int64], lat: Floats, lon: Floats) -> Floats:
    """Return the sun's elevation in degrees, shape (n,), NaN where a coordinate is NaN.

    Args:
        instants: (n,) microseconds since 1970-01-01Z.
        lat: (n,) degrees north.
        lon: (n,) degrees east.
    """
    # Within a minute the sun itself moves by less than 0.0003 degrees; its hour angle is that of the instant.
    minutes, row = np.unique(instants // _MINUTE_US, return_inverse=True)
    declination, equation_of_time_min = (each[row] for each in _sun(minutes * _MINUTE_US))
    day_min = (instants % (1440 * _MINUTE_US)) / _MINUTE_US
    hour_angle = np.radians((day_min + equation_of_time_min + 4.0 * lon) / 4.0 - 180.0)
    phi = np.radians(lat)
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    elevation: Floats = np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0)))
    return elevation


def _sun(instants: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Return the declination (radians) and the equation of time (minutes)."""
    t = (instants - _J2000_US) / _CENTURY_US
    mean_longitude = np.radians((280.46646 + t * (36000.76983 + t * 0.0003032)) % 360.0)
    anomaly = np.radians(357.52911 + t * (35999.05029 - t * 0.0001537))
    eccentricity = 0.016708634 - t * (0.000042037 + t * 0.0000001267)
    centre = (
        np.sin(anomaly) * (1.914602 - t * (0.004817 + t * 0.000014))
        + np.sin(2 * anomaly) * (0.019993 - t * 0.000101)
        + np.sin(3 * anomaly) * 0.000289
    )
    node = np.radians(125.04 - 1934.136 * t)
    longitude = mean_longitude + np.radians(centre - 0.00569 - 0.00478 * np.sin(node))
    seconds = 21.448 - t * (46.815 + t * (0.00059 - t * 0.001813))
    obliquity = np.radians(23.0 + (26.0 + seconds / 60.0) / 60.0 + 0.00256 * np.cos(node))
    y = np.tan(obliquity / 2) ** 2
    equation = (
        y * np.sin(2 * mean_longitude)
        - 2 * eccentricity * np.sin(anomaly)
        + 4 * eccentricity * y * np.sin(anomaly) * np.cos(2 * mean_longitude)
        - 0.5 * y**2 * np.sin(4 * mean_longitude)
        - 1.25 * eccentricity**2 * np.sin(2 * anomaly)
    )
    return np.arcsin(np.sin(obliquity) * np.sin(longitude)), 4.0 * np.degrees(equation)
