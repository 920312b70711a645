"""The languages that Nabd speaks. Must not know who reads which, see api.http.languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from babel import Locale, UnknownLocaleError

Language = Literal["en", "fr", "ar"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"
LOCALES: Mapping[Language, str] = {"en": "en-GB", "fr": "fr", "ar": "ar-LB"}
"""How numbers and times are written where no municipality says it."""


def locale_in(language: Language, locale: str) -> str:
    """Return how a language is written where another locale is spoken: ar in fr-MA is ar-MA."""
    territory = Locale.parse(locale, sep="-").territory
    if territory is None:
        return LOCALES[language]
    try:
        Locale(language, territory)
    except UnknownLocaleError:
        return LOCALES[language]
    return f"{language}-{territory}"


def name_of(language: Language) -> str:
    """Return what a language calls itself: English, Français, العربية."""
    return str(Locale(language).language_name).capitalize()


def direction_of(language: Language) -> str:
    """Return where its lines run: "ltr" or "rtl"."""
    return Locale(language).text_direction


def called(title: str, titles: Mapping[str, str], language: str) -> str:
    """Return what a device is called in a language: by its title where there is no other."""
    return titles.get(language) or title


def called_everywhere(title: str, titles: Mapping[str, str]) -> dict[str, str]:
    """Return what a device is called in every language."""
    return {language: called(title, titles, language) for language in LANGUAGES}


def isolated(value: str, language: Language) -> str:
    """Return a text that keeps its own direction inside a line that runs from right to left."""
    return value if direction_of(language) == "ltr" else f"\u2068{value}\u2069"
