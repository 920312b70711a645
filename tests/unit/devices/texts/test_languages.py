"""How a language is written where another one is spoken."""

from __future__ import annotations

import pytest

from devices.texts.languages import Language, locale_in


@pytest.mark.parametrize(
    ("language", "locale", "written"),
    [
        ("ar", "fr-MA", "ar-MA"),
        ("ar", "ar-LY", "ar-LY"),
        ("fr", "ar-MA", "fr-MA"),
        ("en", "ar-LY", "en-GB"),
        ("ar", "en", "ar-LB"),
    ],
)
def test_language_is_written_as_in_the_territory(language: Language, locale: str, written: str) -> None:
    assert locale_in(language, locale) == written
