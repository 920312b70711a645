"""Symbols of units where they are not the UCUM code, in every language and as Arabic writes them."""

from __future__ import annotations

from collections.abc import Mapping

from devices.texts.languages import Language

_SYMBOLS: Mapping[str, str] = {
    "Cel": "°C", "deg": "°", "[ppm]": "ppm", "dB[mW]": "dBm",
    "kW.h": "kWh", "L/har": "L/ha", "m/s2": "m/s²", "1": "",
}  # fmt: skip
_ARABIC: Mapping[str, str] = {
    "%": "٪", "Cel": "°م", "mm": "مم", "m": "م", "km": "كم", "m/s": "م/ث", "m/s2": "م/ث²", "kg": "كغ",
    "L": "ل", "L/min": "ل/د", "L/har": "ل/هكتار", "V": "فولت", "A": "أمبير", "W": "واط", "kW.h": "ك.و.س",
    "bar": "بار", "h": "س", "min": "د", "s": "ث", "lx": "لكس", "dB": "دسيبل", "[ppm]": "جزء في المليون",
}  # fmt: skip


def symbols(language: Language) -> Mapping[str, str]:
    """Return the symbol of each UCUM code that is not written as it is."""
    return {**_SYMBOLS, **_ARABIC} if language == "ar" else _SYMBOLS


def symbol(unit: str, language: Language) -> str:
    """Return what people read of a unit: of an unknown "Cel/min" its parts, of any other its code."""
    known = symbols(language)
    over, slash, under = unit.partition("/")
    composed = f"{known.get(over, over)}/{known.get(under, under)}" if slash else unit
    return known.get(unit, composed)
