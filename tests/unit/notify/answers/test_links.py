"""Links that we signed are known, and no other."""

from __future__ import annotations

import pytest

from notify.answers.links import sign, verify

KEY, OTHER = b"k" * 32, b"o" * 32


def test_link_that_we_signed_says_what_it_is_for() -> None:
    assert verify(KEY, sign(KEY, 41, 1_800_000_000)) == 41


def test_link_of_another_key_is_none() -> None:
    assert verify(KEY, sign(OTHER, 41, 1_800_000_000)) is None


def test_link_is_none_when_any_character_is_another() -> None:
    token = sign(KEY, 41, 1_800_000_000)
    for place, character in enumerate(token):
        other = "1" if character != "1" else "2"
        assert verify(KEY, token[:place] + other + token[place + 1 :]) is None, place


@pytest.mark.parametrize(
    "token", ["", "41", "41-1800000000-", "-1-1-" + "a" * 22, "٤١-1-" + "a" * 22, "x" * 500]
)
def test_text_that_is_no_link_is_none(token: str) -> None:
    assert verify(KEY, token) is None


def test_link_is_short_enough_for_an_sms() -> None:
    assert len(sign(KEY, 10**9, 1_800_000_000)) < 50
