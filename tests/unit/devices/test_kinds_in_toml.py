"""Kinds that an operator declares in TOML: what may be left out, and what is said of mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.kinds import load
from devices.kinds.kind import ArgumentType, Kind, KindError, ValueType
from rules.loading.files import parse
from tests.unit.rules.readings import rule

COUNTER = """
name = "counter"
title = {en = "Counter"}
measurements = [
  {name = "people"},
  {name = "open", type = "boolean", bit = 20},
  {name = "note", type = "text"},
]
reporting = [{every_s = 300}]
"""


def declared(directory: Path, text: str) -> Kind:
    (directory / "counter.toml").write_text(text, encoding="utf-8")
    return load(directory)["counter"]


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    kind = declared(tmp_path, COUNTER + '[[panels]]\nmeasurements = ["people"]')

    assert [(m.name, m.bit, m.type) for m in kind.measurements] == [
        ("people", 8, ValueType.NUMBER),
        ("open", 20, ValueType.BOOLEAN),
        ("note", 10, ValueType.TEXT),
    ]
    assert (kind.headline, kind.icon, kind.reporting[0].state) == ("people", "device", "normal")
    assert (kind.panels[0].measurements, kind.panels[0].title) == (("people",), {})


def test_people_enter_what_the_inspection_says_else_all_that_is_not_of_the_link(tmp_path: Path) -> None:
    said = COUNTER.replace('{name = "people"}', '{name = "people"}, {name = "rssi", of_link = true}')

    plain = declared(tmp_path, said)
    inspected = declared(tmp_path, 'inspection = ["note", "people"]\n' + said)

    assert [m.name for m in plain.by_hand] == ["people", "open", "note"]
    assert [m.name for m in inspected.by_hand] == ["note", "people"]
    with pytest.raises(KindError, match="'peple' is not one of its measurements"):
        declared(tmp_path, 'inspection = ["peple"]\n' + said)


def test_kind_declared_in_toml_brings_its_commands(tmp_path: Path) -> None:
    (reset,) = declared(
        tmp_path,
        COUNTER
        + """
        [[commands]]
        name = "reset"
        arguments = [{name = "to", low = 0, required = false}, {name = "why", type = "text"}]
        """,
    ).commands

    assert [(a.name, a.type, a.required) for a in reset.arguments] == [
        ("to", ArgumentType.NUMBER, False),
        ("why", ArgumentType.TEXT, True),
    ]


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        ('name = "counter"', 'name = "counter', "counter.toml: .*line 2"),
        ('title = {en = "Counter"}', "", "counter.toml: Object missing required field `title`"),
        ('name = "counter"', 'name = "Counter"', "a name is a-z, 0-9 and _"),
        ("title =", 'headlin = "people"\ntitle =', "headlin: unknown key; did you mean 'headline'\\?"),
        ("title =", "derived = []\ntitle =", "derived: unknown key; known: attributes, checklist, commands"),
        ("title =", 'headline = "peopl"\ntitle =', "'peopl' is not .*; did you mean 'people'\\?"),
        ('"people"}', '"people", lowe = 1}', r"measurements\[0\].lowe: unknown key; did you mean 'low'\?"),
        ('"people"}', '"people", low = "1"}', r"measurements\[0\].low: Expected `float | null`, got `str`"),
        ('{name = "people"}', '{unit = "1"}', r"measurements\[0\]: Object missing required field `name`"),
        ('{name = "people"}', '"people"', r"measurements\[0\]: Expected `object`, got `str`"),
        ('"boolean"', '"boolan"', r"measurements\[1\].type: 'boolan' is no choice; did you mean 'boolean'\?"),
        ("bit = 20", "bit = 8", "bit 8 is not free"),
        ("every_s", "every", r"reporting\[0\].every: unknown key; did you mean 'every_s'\?"),
        ("every_s = 300", "every_s = 0", "needs every_s above 0"),
        (
            "reporting =",
            'commands = [{name = "a", arguments = [{name = "b", typ = "text"}]}]\nreporting =',
            r"commands\[0\].arguments\[0\].typ: unknown key; did you mean 'type'\?",
        ),
    ],
)
def test_mistake_is_told_with_its_file_key_and_what_was_meant(
    tmp_path: Path, before: str, after: str, text: str
) -> None:
    assert before in COUNTER
    with pytest.raises(KindError, match=text) as raised:
        declared(tmp_path, COUNTER.replace(before, after, 1))
    assert str(tmp_path / "counter.toml") in str(raised.value)


def test_codes_counters_and_circles_are_declared_in_toml_too(tmp_path: Path) -> None:
    kind = declared(
        tmp_path,
        """
        name = "counter"
        title = {en = "Vane"}
        measurements = [
          {name = "wind_deg", low = 0, high = 360, circular = true},
          {name = "soil_c", codes = [85, 125.0], leap = 15},
          {name = "energy_wh", counter = true, most_per_h = 50},
        ]
        reporting = [{every_s = 300}]
        """,
    )

    wind, soil, energy = kind.measurements
    assert (wind.turn, soil.turn) == (360, None)
    assert (soil.codes, soil.leap) == ((85, 125), 15)
    assert (energy.counter, energy.most_per_h) == (True, 50)


@pytest.mark.parametrize(
    ("measurement", "text"),
    [
        ("circular = true", "needs low and high"),
        ("circular = true, low = 0, high = 360, counter = true", "exclude each other"),
        ("most_per_h = 3", "for a counter"),
        ('type = "text", codes = [1]', "for numbers"),
        ("codes = [1], leap = -1", "not negative"),
        ("cycle = {falls_by = -1}", "falls_by, above 0"),
        ("counter = true, cycle = {falls_by = 2}", "no counter"),
        ('type = "text", cycle = {falls_by = 2}', "into, some of its choices"),
        ('type = "text", choices = ["up"], cycle = {into = ["down"]}', "into, some of its choices"),
        ("cycle = {fall_by = 2}", r"cycle.fall_by: unknown key; did you mean 'falls_by'"),
    ],
)
def test_codes_counters_circles_and_cycles_that_cannot_be_are_refused(
    tmp_path: Path, measurement: str, text: str
) -> None:
    with pytest.raises(KindError, match=text):
        declared(tmp_path, COUNTER.replace('name = "people"', f'name = "people", {measurement}'))


def test_kind_declared_in_toml_has_choices_floors_and_conclusions_for_its_rules(tmp_path: Path) -> None:
    kind = declared(
        tmp_path,
        COUNTER.replace(
            '{name = "note", type = "text"}', '{name = "note", type = "text", choices = ["idle", "busy"]}'
        ).replace('{name = "people"}', '{name = "people", floor = 2, reference = {en = "since midnight"}}')
        + '[[conclusions]]\nname = "works"\nmeans = \'known(note == "busy", people > 3)\'',
    )
    text = rule("levels: {warning: works}", kind="counter")
    (definition,) = parse(text, {"counter": kind})

    assert (kind.measurements[0].floor, kind.measurements[2].choices) == (2, ("idle", "busy"))
    assert definition.let == {"works": 'known(note == "busy", people > 3)'}


def test_a_checklist_has_names_each_once(tmp_path: Path) -> None:
    item = '\n[[checklist]]\nname = "lens_clean"\nlabel = {en = "The lens is clean"}\n'

    [one] = declared(tmp_path, COUNTER + item).checklist

    assert (one.name, one.label) == ("lens_clean", {"en": "The lens is clean"})
    with pytest.raises(KindError, match="checklist 'lens_clean'"):
        declared(tmp_path, COUNTER + item * 2)
