"""Units of measurements, which are UCUM codes, as Grafana names them."""

from __future__ import annotations

from collections.abc import Mapping

from devices.texts.languages import Language
from devices.texts.units import symbol

_NAMES: Mapping[str, str] = {
    "%": "percent", "Cel": "celsius", "V": "volt", "A": "amp", "W": "watt", "kW.h": "kwatth", "deg": "degree",
    "mm": "lengthmm", "m": "lengthm", "kg": "masskg", "L": "litre", "m/s": "velocityms", "m/s2": "accMS2",
    "bar": "pressurebar", "lx": "lux", "[ppm]": "ppm", "dB": "dB", "dB[mW]": "dBm", "h": "h",
    "min": "m", "s": "s", "L/min": "flowlpm", "": "short", "1": "short",
}  # fmt: skip
"""Read from the units of Grafana's SDK; tests ask them all."""
SUFFIX = "suffix: "
"""Grafana's way to say a unit that it has no name for."""


def grafana_unit(unit: str, language: Language) -> str:
    """Return Grafana's name of a UCUM unit; of one that it does not know, the symbol as a suffix."""
    known = _NAMES.get(unit)
    return known if known else f"{SUFFIX}{symbol(unit, language)}"
