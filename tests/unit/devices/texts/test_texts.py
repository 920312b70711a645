"""Texts by language and number, as they come out of the catalogue."""

from __future__ import annotations

import pytest

from devices.texts.catalogue import group, plural, text
from devices.texts.languages import LANGUAGES, Language, direction_of, name_of
from rules.explain.texts import duration

FEW, MANY, HUNDREDS = "{n} أيام", "{n} يومًا", "{n} يوم"
ARABIC = {
    0: HUNDREDS,
    1: "يوم",
    2: "يومان",
    **dict.fromkeys(range(3, 11), FEW),
    **dict.fromkeys(range(11, 100), MANY),
    **dict.fromkeys(range(100, 103), HUNDREDS),
    **dict.fromkeys(range(103, 111), FEW),
    **dict.fromkeys(range(111, 200), MANY),
    200: HUNDREDS,
    203: FEW,
    999: MANY,
}


def test_arabic_counts_in_six_forms() -> None:
    said = {n: plural("ar", "console.days", n) for n in ARABIC}

    assert said == {n: form.format(n=n) for n, form in ARABIC.items()}


def test_english_and_french_count_in_two_forms() -> None:
    for n in ARABIC:
        assert plural("en", "console.days", n) == (f"{n} day" if n == 1 else f"{n} days")
        assert plural("fr", "console.days", n) == (f"{n} jour" if n <= 1 else f"{n} jours")


def test_numbers_are_written_as_the_language_writes_them() -> None:
    assert plural("en", "console.days", 1234) == "1,234 days"
    assert plural("fr", "console.days", 1234) == "1\u202f234 jours"
    assert text("en", "explain.missing_readings", n=1234).endswith("1,234.")


def test_value_may_hold_braces() -> None:
    assert text("en", "function.baseline", x="{n}", w="", n="") == "usual {n}"


def test_group_has_the_forms_of_its_texts_by_cldr_category() -> None:
    assert group("fr", "console")["days"] == {"one": "{n} jour", "other": "{n} jours"}
    assert group("ar", "console")["days"] == {
        "zero": HUNDREDS,
        "one": "يوم",
        "two": "يومان",
        "few": FEW,
        "many": MANY,
        "other": HUNDREDS,
    }
    assert group("ar", "word") == {"limit": "الحد", "no": "لا", "yes": "نعم"}


def test_languages_name_themselves_and_say_where_they_run() -> None:
    assert [name_of(language) for language in LANGUAGES] == ["English", "Français", "العربية"]
    assert [direction_of(language) for language in LANGUAGES] == ["ltr", "ltr", "rtl"]


@pytest.mark.parametrize(
    ("seconds", "language", "said"),
    [
        (0, "en", "0 s"),
        (3600 + 300, "en", "1 h 5 min"),
        (2 * 86400 + 3600, "fr", "2 j 1 h"),
        (3600 + 300, "ar", "ساعة و5 دقائق"),
        (103 * 86400, "ar", "103 أيام"),
        (11 * 86400 + 2 * 3600, "ar", "11 يومًا وساعتان"),
    ],
)
def test_length_of_time_is_told_in_its_two_largest_units(seconds: int, language: Language, said: str) -> None:
    assert duration(seconds * 1_000_000, language) == said
