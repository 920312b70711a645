"""The days of rest where a locale is spoken. Pure; ISO days, 1 is Monday."""

from __future__ import annotations

from babel import Locale

PALESTINE = "PS"
"""CLDR gives it Saturday and Sunday; schools, offices and banks rest on Friday and Saturday."""


def weekend_of(locale: str) -> tuple[int, ...]:
    """Return the weekend of a locale such as ar-LY, by its territory; without one Saturday and Sunday.

    Raises:
        ValueError, babel.UnknownLocaleError: it is no locale.
    """
    parsed = Locale.parse(locale, sep="-")
    if parsed.territory == PALESTINE:
        return (5, 6)
    first, last = parsed.weekend_start, parsed.weekend_end
    return tuple(day % 7 + 1 for day in range(first, last + 1 if last >= first else last + 8))
