"""Profiles that are refused: each mistake with its line, its column, and what was probably meant."""

from __future__ import annotations

import pytest

from tests.unit.wire.profile.profiles import mistakes

GOOD = """\
profile = "one"
title = "One"
kind = "bin"

[[payload]]
port = 2
fields = [{name = "fill", type = "u8"}]

[[readings]]

[readings.values]
fill_pct = {from = "fill", unit = "%", none = [255]}
lid_open = {from = "lid", words = {open = true}}

[[examples]]
says = "one"
hex = "01"
gives = [{fill_pct = 1}]
"""


def test_a_good_profile_has_no_mistake() -> None:
    assert mistakes(GOOD) == []


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ('title = "One"', 'titel = "One"', "one.toml:2:1: unknown key 'titel'; did you mean 'title'?"),
        (
            'kind = "bin"',
            'kind = "bim"',
            "one.toml:3:1: there is no kind 'bim'; known: bin, drone, light; did you mean bin?",
        ),
        ("fill_pct = {", "fil_pct = {", "one.toml:12:1: 'fil_pct' is no measurement of a bin;"),
        ('unit = "%"', 'unit = "%%"', "one.toml:12:28: fill_pct is in %: there is no unit '%%'"),
        ('unit = "%"', 'unit = "cm"', "one.toml:12:28: fill_pct is in %: cm cannot become %; known: %, 1"),
        ('unit = "%"', 'units = "%"', "one.toml:12:28: unknown key 'units'; did you mean 'unit'?"),
        ('from = "fill"', 'from = "fill["', "one.toml:12:13: from: 'fill[' is no path"),
        ('from = "fill"', 'from = "$radios.x"', "one.toml:12:13: from: a path does not begin with $radios"),
        ('from = "fill", ', "", "one.toml:12:1: fill_pct has no from"),
        ("none = [255]", "none = [[255]]", "one.toml:12:40: none is a list of numbers and texts"),
        ("open = true", "open = 1", "one.toml:13:27: lid_open is true or false, and open would be 1"),
        ('from = "lid"', 'from = "lid", unit = "V"', "one.toml:13:27: unit is for numbers"),
        ('type = "u8"', 'type = "u9"', "one.toml:7:27: there is no type 'u9'"),
        ("port = 2", "port = 300", "one.toml:6:1: port is a number from 0 to 255"),
        ("port = 2", 'starts = "8"', "one.toml:6:1: starts is bytes"),
        ("port = 2", "tag = 9", "one.toml:6:1: tag is a whole number from 1 to 4, not 9"),
        ('hex = "01"', 'hex = "zz"', "one.toml:17:1: non-hexadecimal"),
        ('hex = "01"', 'json = "{"', "one.toml:17:1: no JSON"),
        ('hex = "01"\n', "", "one.toml:15:1: an example has either hex or json"),
        ('profile = "one"', 'profile = "One!"', "one.toml:1:1: the name of a profile is"),
        ("[[readings]]", "[readings", "one.toml:9:10: no TOML"),
        ('title = "One"', 'title = {en = "One", fr = "Un"}', "one.toml:2:1: ar is missing"),
        ('title = "One"', 'title = {de = "Eins"}', "one.toml:2:10: unknown key 'de'"),
        (
            'title = "One"',
            'title = "One"\ncodec = "../x.js"',
            "one.toml:3:1: codec is the name of a .js file",
        ),
        ('title = "One"', 'title = "One"\ncodec = "x.js"', "one.toml:3:1: a profile has a codec or layouts"),
    ],
)
def test_a_mistake_is_told_at_its_place(right: str, wrong: str, said: str) -> None:
    assert right in GOOD

    told = mistakes(GOOD.replace(right, wrong, 1))

    assert any(line.startswith(said) for line in told), told


def test_all_mistakes_are_told_in_their_order() -> None:
    text = (
        GOOD.replace('title = "One"', "")
        .replace('type = "u8"', 'type = "x"')
        .replace("fill_pct = {", "f = {", 1)
    )

    assert [line.split(": ")[0] for line in mistakes(text)] == [
        "one.toml:1:1",
        "one.toml:7:27",
        "one.toml:12:1",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "profile is missing"),
        ('profile = "a"\ntitle = "A"\nkind = "bin"', "there is no [[readings]]"),
        (
            'profile = "a"\ntitle = "A"\n[[readings]]\n[readings.values]\nx = "y"',
            "kind is missing; known: bin",
        ),
        ('profile = "a"\ntitle = "A"\nkind = "bin"\n[[readings]]', "there are no [readings.values]"),
        ("a = " + "[" * 200, "nested deeper than"),
        ("a = '" + "x" * 300_000 + "'", "at most 262144 are read"),
    ],
)
def test_what_is_missing_or_too_much_is_told(text: str, said: str) -> None:
    assert any(said in line for line in mistakes(text)), mistakes(text)


def test_a_container_needs_lengths_that_the_kind_has() -> None:
    text = GOOD.replace("none = [255]", 'container = {empty = "instal_height_mm", depth = "volume_l"}')

    first, second, *_ = [line for line in mistakes(text) if "container" not in line]

    assert "did you mean install_height_mm?" in first
    assert "depth is millimetres, or an attribute of a bin that has them" in second
