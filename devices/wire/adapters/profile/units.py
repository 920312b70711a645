"""Units that devices and platforms send, and how they become those of kinds. Pure.

A table and not a library: kinds write some thirty units (UCUM codes), and what is converted is linear.
"""

from __future__ import annotations

from collections.abc import Mapping

Linear = tuple[float, float]
"""Factor and summand: converted = value * factor + summand."""

_UNITS: Mapping[str, Mapping[str, Linear]] = {
    "length": {
        "m": (1, 0), "mm": (1e-3, 0), "cm": (1e-2, 0), "dm": (0.1, 0), "km": (1e3, 0), "um": (1e-6, 0),
        "in": (0.0254, 0), "ft": (0.3048, 0),
    },
    "share": {"1": (1, 0), "fraction": (1, 0), "%": (1e-2, 0), "‰": (1e-3, 0)},
    "parts": {"[ppm]": (1, 0), "[ppb]": (1e-3, 0), "%[vol]": (1e4, 0)},
    "temperature": {"Cel": (1, 0), "K": (1, -273.15), "degF": (5 / 9, -160 / 9)},
    "angle": {"deg": (1, 0), "rad": (57.29577951308232, 0), "mrad": (0.05729577951308232, 0)},
    "voltage": {"V": (1, 0), "mV": (1e-3, 0), "kV": (1e3, 0)},
    "current": {"A": (1, 0), "mA": (1e-3, 0)},
    "power": {"W": (1, 0), "mW": (1e-3, 0), "kW": (1e3, 0)},
    "energy": {"kW.h": (1, 0), "W.h": (1e-3, 0), "MW.h": (1e3, 0), "J": (1 / 3.6e6, 0), "kJ": (1 / 3.6e3, 0)},
    "time": {"h": (1, 0), "s": (1 / 3600, 0), "min": (1 / 60, 0), "d": (24, 0), "ms": (1 / 3.6e6, 0)},
    "mass": {"kg": (1, 0), "g": (1e-3, 0), "t": (1e3, 0), "lb": (0.45359237, 0)},
    "volume": {"L": (1, 0), "mL": (1e-3, 0), "m3": (1e3, 0), "gal": (3.785411784, 0)},
    "pressure": {
        "bar": (1, 0), "mbar": (1e-3, 0), "Pa": (1e-5, 0), "hPa": (1e-3, 0), "kPa": (1e-2, 0),
        "psi": (0.0689475729, 0),
    },
    "speed": {"m/s": (1, 0), "km/h": (1 / 3.6, 0), "cm/s": (1e-2, 0), "kn": (0.514444444444, 0),
              "mph": (0.44704, 0)},
    "flow": {"L/min": (1, 0), "L/h": (1 / 60, 0), "L/s": (60, 0), "mL/min": (1e-3, 0),
             "m3/h": (1000 / 60, 0)},
    "dose": {"L/har": (1, 0)},
    "acceleration": {"m/s2": (1, 0), "[g]": (9.80665, 0), "m[g]": (9.80665e-3, 0)},
    "illuminance": {"lx": (1, 0), "klx": (1e3, 0)},
    "signal": {"dB[mW]": (1, 0)},
    "ratio": {"dB": (1, 0)},
    "conductivity": {"uS/cm": (1, 0), "mS/cm": (1e3, 0), "dS/m": (1e3, 0), "S/m": (1e4, 0)},
}  # fmt: skip
_OTHER_NAMES: Mapping[str, str] = {
    "percent": "%", "pct": "%", "permille": "‰", "°C": "Cel", "℃": "Cel", "C": "Cel", "celsius": "Cel",
    "°F": "degF", "F": "degF", "°": "deg", "degrees": "deg", "dBm": "dB[mW]", "kWh": "kW.h", "Wh": "W.h",
    "MWh": "MW.h", "l": "L", "ml": "mL", "m³": "m3", "l/min": "L/min", "l/h": "L/h", "m³/h": "m3/h",
    "L/ha": "L/har", "m/s²": "m/s2", "lux": "lx", "ppm": "[ppm]", "ppb": "[ppb]", "knots": "kn",
    "µS/cm": "uS/cm", "kmh": "km/h", "volt": "V", "metre": "m", "meter": "m", "hours": "h", "seconds": "s",
    "sec": "s",     "minutes": "min", "inch": "in", "g0": "[g]", "mg0": "m[g]",
}  # fmt: skip
_OF_SENML: Mapping[str, str] = {"/": "fraction", "%RH": "%", "%EL": "%", "lat": "deg", "lon": "deg"}
_OF_UNECE: Mapping[str, str] = {
    "MTR": "m", "MMT": "mm", "CMT": "cm", "DMT": "dm", "KMT": "km", "INH": "in", "FOT": "ft", "C62": "1",
    "P1": "%", "59": "[ppm]", "61": "[ppb]", "CEL": "Cel", "KEL": "K", "FAH": "degF", "DD": "deg",
    "C81": "rad", "VLT": "V", "2Z": "mV", "KVT": "kV", "AMP": "A", "4K": "mA", "WTT": "W", "C31": "mW",
    "KWT": "kW", "KWH": "kW.h", "WHR": "W.h", "MWH": "MW.h", "JOU": "J", "KJO": "kJ", "HUR": "h",
    "SEC": "s", "MIN": "min", "DAY": "d", "C26": "ms", "KGM": "kg", "GRM": "g", "TNE": "t", "LBR": "lb",
    "LTR": "L", "MLT": "mL", "MTQ": "m3", "BAR": "bar", "MBR": "mbar", "PAL": "Pa", "A97": "hPa",
    "KPA": "kPa", "PS": "psi", "MTS": "m/s", "KMH": "km/h", "KNT": "kn", "HM": "mph", "L2": "L/min",
    "E32": "L/h", "G51": "L/s", "MQH": "m3/h", "MSK": "m/s2", "LUX": "lx", "2N": "dB", "G42": "uS/cm",
    "H61": "mS/cm", "D10": "S/m",
}  # fmt: skip
"""Codes of UNECE Recommendation 20, as NGSI's `unitCode` has them."""
_NAMES: Mapping[str, str] = {**_OTHER_NAMES, **_OF_SENML, **_OF_UNECE}
_DIMENSION: Mapping[str, str] = {unit: name for name, units in _UNITS.items() for unit in units}

KNOWN: frozenset[str] = frozenset(_DIMENSION) | frozenset(_NAMES)


class BadUnit(ValueError):
    """A unit is not known, or measures something else; the text says which and of what."""

    def __init__(self, message: str, choices: frozenset[str] = frozenset()) -> None:
        super().__init__(message)
        self.choices = choices


def converter(source: str, target: str) -> Linear:
    """Return how a value in `source` becomes one in `target`; the same unit needs not be known.

    Raises:
        BadUnit: one of them is unknown, or they measure different things.
    """
    source, target = _NAMES.get(source, source), _NAMES.get(target, target)
    if source == target or (source, target) == ("1", ""):
        return 1.0, 0.0
    of = _DIMENSION.get(source)
    wanted = _DIMENSION.get(target)
    if of is None:
        raise BadUnit(f"there is no unit {source!r}", KNOWN)
    if of != wanted:
        same = frozenset(_UNITS[wanted]) if wanted is not None else frozenset([target])
        raise BadUnit(f"{source} cannot become {target or 'a number without unit'}", same)
    factor, summand = _UNITS[of][source]
    over, less = _UNITS[of][target]
    return factor / over, (summand - less) / over
