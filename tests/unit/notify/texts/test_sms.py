"""What fits into one SMS."""

from __future__ import annotations

import pytest

from notify.texts.sms import fits, places, shortened, simplified


@pytest.mark.parametrize(
    ("text", "count"),
    [("abc", 3), ("é€", 3), ("ê", 1), ("😀", 2), ("حاوية", 5), ("[]", 4)],
)
def test_places_are_counted_by_alphabet(text: str, count: int) -> None:
    assert places(text) == count


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("a" * 160, True),
        ("a" * 161, False),
        ("a" * 158 + "€", True),
        ("a" * 159 + "€", False),
        ("م" * 70, True),
        ("م" * 71, False),
        ("a" * 70 + "م", False),
        ("😀" * 35, True),
        ("😀" * 36, False),
    ],
)
def test_one_sms_has_160_places_of_the_gsm_alphabet_or_70_others(text: str, *, fitting: bool) -> None:
    assert fits(text) is fitting


def test_accents_go_where_that_saves_half_of_the_sms() -> None:
    assert simplified("Hôpital – forêt : 9\u202f%, œuvre, é") == "Hopital - foret : 9 %, oeuvre, é"
    assert simplified("Hôpital ممتلئ") == "Hôpital ممتلئ"


def test_marks_of_direction_take_no_place() -> None:
    assert simplified("\u2068bin-17\u2069\u00a0x") == "bin-17 x"


def test_text_is_cut_after_a_word_and_what_follows_never() -> None:
    cut = shortened("word " * 40, "Reply K7QP")

    assert cut.endswith("word... Reply K7QP")
    assert fits(cut)
    assert shortened("م" * 90, "K7QP") == "م" * 64 + "… K7QP"
    assert shortened("short", "K7QP") == "short K7QP"
