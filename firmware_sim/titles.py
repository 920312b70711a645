"""What numbered devices are called in each language. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from babel import Locale

from devices.texts.languages import locale_in

_ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def numbered(names: Mapping[str, str], number: int, locale: str) -> dict[str, str]:
    """Return the names with a number, its digits those that readers see elsewhere in such a municipality.

    Arabic ones are as in its territory: Arabic-Indic in ar-LB, Latin in ar-MA.
    """
    arabic = Locale.parse(locale_in("ar", locale), sep="-")
    digits = {"ar": str(number).translate(_ARABIC_INDIC)} if arabic.default_numbering_system == "arab" else {}
    return {language: f"{name} {digits.get(language, number)}" for language, name in names.items()}
