"""Whatever a device writes can be kept."""

from __future__ import annotations

from devices.storable import storable, storable_json


def test_text_keeps_everything_but_what_the_database_refuses() -> None:
    assert storable("نبض a\x00b\ud800") == "نبض a\ufffdb?"


def test_text_is_cut_at_the_limit_and_says_so() -> None:
    assert storable("abcdef", 4) == "abc…"
    assert storable("abcd", 4) == "abcd"


def test_json_is_cleaned_in_depth() -> None:
    assert storable_json({"a\x00": ["b\x00", 1, None, True]}) == {"a\ufffd": ["b\ufffd", 1, None, True]}
