"""Sentences that are said later, in the reader's language."""

from __future__ import annotations

import pytest

from devices.texts.languages import LANGUAGES, Language
from devices.texts.translated import say, several, some_of


def test_number_chooses_the_form() -> None:
    assert say("check.backup_old", n=1).in_language("en") == "none was made for 1 day"
    assert say("check.backup_old", n=3).in_language("ar") == "لم تُصنع نسخة منذ 3 أيام"


def test_arabic_counts_minutes_as_it_does() -> None:
    said = [say("check.annotations_wait", n=n, servers=()).in_language("ar") for n in (1, 2, 10, 15)]

    assert [one.partition("منذ ")[2].rstrip(": ") for one in said] == [
        "دقيقة",
        "دقيقتين",
        "10 دقائق",
        "15 دقيقة",
    ]


def test_several_are_one_after_the_other_and_names_are_listed() -> None:
    found = several([say("check.wait"), say("check.planned_speak", devices=("a", "b"))])

    assert found.in_language("en") == "wait; planned, and speaking: a, b"
    assert found.in_language("ar").startswith("انتظر؛ ")
    assert found.in_language("ar").endswith("\u2068a\u2069، \u2068b\u2069")


def test_many_names_are_cut_and_counted() -> None:
    found = say("check.planned_speak", devices=some_of(["a", "b", "c"], 2))

    assert found.in_language("en") == "planned, and speaking: a, b and 1 more"
    assert some_of(["a", "b"], 2) == ("a", "b")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_others_wrote_neither_turns_the_line_nor_becomes_a_command(language: Language) -> None:
    said = say("check.unseen", error="a\u202eb\u2069c `rm -rf` \u2066d").in_language(language)

    assert "abc rm -rf d" in said
    assert "`" not in said
    assert said.count("\u2066") + said.count("\u2068") == said.count("\u2069")
    assert "\u202e" not in said


@pytest.mark.parametrize("name", ["north", "شمال", "north شمال", "a`b"])
def test_commands_are_copied_as_they_are_typed(name: str) -> None:
    said = say("check.start_ingest_of", shard=name).in_language("ar")
    commands = said.split("`")[1::2]

    assert commands == ["nabd ingest", f"NABD_SHARD={name.replace('`', '')}"]
    # Whole in its own direction, whatever stands in it.
    assert f"`NABD_SHARD={name.replace('`', '')}`\u2069" in said


@pytest.mark.parametrize("value", ["{n}", "{error}"])
def test_value_may_hold_what_looks_like_a_placeholder(value: str) -> None:
    assert value in say("check.unseen", error=value).in_language("ar")
