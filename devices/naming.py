"""Which measurement an undeclared name probably means: one letter, one case or one unit away. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches

from devices.kinds.kind import Kind

UNITS = {
    "pct": "pct percent percentage level ratio soc",
    "v": "v mv volt volts voltage millivolts",
    "a": "a ma amp amps ampere amperes current",
    "c": "c f k celsius fahrenheit kelvin degc degf deg",
    "mm": "mm cm m inch in millimeters centimeters meters",
    "deg": "deg degrees rad radians",
    "kg": "kg g lb kilograms",
    "ppm": "ppm ppb",
    "dbm": "dbm db",
    "w": "w kw mw watt watts",
    "kwh": "kwh wh mwh",
    "hours": "hours h hour s seconds minutes min",
    "lpm": "lpm lps",
    "l": "l ml liters litres",
    "bar": "bar kpa pa psi",
    "mps": "mps ms kmh kph knots",
    "m": "m ft feet meters",
}
"""By the ending of our names: endings that others use for the same, in that or another unit."""
SHORT = {"temp": "temperature", "batt": "battery", "bat": "battery", "dist": "distance", "lng": "lon",
         "long": "lon", "latitude": "lat", "longitude": "lon", "altitude": "alt", "level": "fill",
         "filling": "fill", "fullness": "fill"}  # fmt: skip
_LIKE = 0.86
"""How alike names must be, by the ratio of difflib: one letter of seven."""


def probably(kind: Kind, name: str, known: Collection[str] = ()) -> str | None:
    """Return the measurement that an unknown name probably means, None where there is no near one.

    Args:
        known: measurements that the reading has: the name means none of them.
    """
    left = [m.name for m in kind.measurements if m.name not in known]
    plain = _plain(name)
    if plain in left:
        return plain
    by_stem: dict[str, list[str]] = {}
    for one in left:
        by_stem.setdefault(_stem(one)[0], []).append(one)
    stem, unit = _stem(plain)
    same = by_stem.get(stem, [])
    for one in same:
        ours = _stem(one)[1]
        if unit and ours and unit in UNITS.get(ours, ours).split():
            return one
    if same:
        return same[0]
    close = get_close_matches(plain, left, n=1, cutoff=_LIKE)
    return close[0] if close else None


def hint(kind: Kind, name: str, known: Collection[str] = ()) -> str | None:
    """Return the question whether a measurement was meant, with its unit; None where there is no near one."""
    meant = probably(kind, name, known)
    if meant is None:
        return None
    unit = kind.measurement(meant).unit
    return f"{meant}, in {unit}?" if unit else f"{meant}?"


def _plain(name: str) -> str:
    """Return a name in our spelling: batteryVoltage, battery-voltage and BATTERY VOLTAGE alike."""
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    return re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")


def _stem(name: str) -> tuple[str, str]:
    """Return a name without the unit it ends in, and that unit, empty where there is none."""
    *words, last = [SHORT.get(word, word) for word in name.split("_")]
    endings = {ending for one in UNITS.values() for ending in one.split()} | UNITS.keys()
    raw = name.rsplit("_", 1)[-1]
    if words and raw in endings:
        return "_".join(words), raw
    return "_".join([*words, last]), ""
