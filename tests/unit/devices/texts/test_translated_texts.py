"""Sentences that are said later, in the reader's language."""

from __future__ import annotations

import pytest

from devices.texts.translated import say, several, some_of


def test_number_chooses_the_form() -> None:
    assert say("check.backup_old", n=1).in_language("en") == "none was made for 1 day"
    assert say("check.backup_old", n=3).in_language("ar") == "لم تُصنع نسخة منذ 3 أيام"


def test_several_are_one_after_the_other_and_names_are_listed() -> None:
    found = several([say("check.wait"), say("check.planned_speak", devices=("a", "b"))])

    assert found.in_language("en") == "wait; planned, and speaking: a, b"
    assert found.in_language("ar").startswith("انتظر؛ ")
    assert found.in_language("ar").endswith("\u2068a\u2069، \u2068b\u2069")


def test_many_names_are_cut_and_counted() -> None:
    found = say("check.planned_speak", devices=some_of(["a", "b", "c"], 2))

    assert found.in_language("en") == "planned, and speaking: a, b and 1 more"
    assert some_of(["a", "b"], 2) == ("a", "b")


@pytest.mark.parametrize("value", ["{n}", "{error}", "\u2068"])
def test_value_may_hold_what_looks_like_a_placeholder(value: str) -> None:
    assert value in say("check.unseen", error=value).in_language("ar")
