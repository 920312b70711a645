"""What words of a search may mean."""

from __future__ import annotations

from devices.texts.searching import MOST, meanings

NAMES = {"kind:bin": ["Smart bin", "Bac", "حاوية ذكية"], "kind:light": ["Street light", "إنارة"]}


def test_a_word_means_itself_and_what_it_is_a_name_of() -> None:
    assert meanings("حاويه ٧", NAMES) == ("حاويه|kind:bin", "7")
    assert meanings("Azmi STREET", NAMES) == ("azmi", "street|kind:light")
    assert meanings("lamp", {"kind:light.": ["Lamp"]}) == (r"lamp|kind:light\.",)


def test_nothing_typed_means_nothing() -> None:
    assert meanings("  ", NAMES) == ()


def test_words_cannot_bring_meanings_of_their_own() -> None:
    assert meanings("a|b (.*", {}) == (r"a\|b", r"\(\.\*")
    assert len(meanings("x " * 40, {})) == MOST
