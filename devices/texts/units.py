"""Symbols of units whose UCUM code is not what people read; every other unit is written as its code."""

from __future__ import annotations

from collections.abc import Mapping

SYMBOLS: Mapping[str, str] = {
    "Cel": "°C", "deg": "°", "[ppm]": "ppm", "dB[mW]": "dBm",
    "kW.h": "kWh", "L/har": "L/ha", "m/s2": "m/s²", "1": "",
}  # fmt: skip
