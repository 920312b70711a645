"""Devices of networks become rows of an import by a table; what it does not say is a problem of its line."""

from __future__ import annotations

import pytest

from devices.kinds import load
from nabd.networks.mapping import MappingRefused, parse, rows
from nabd.networks.network_device import NetworkDevice

KINDS = load()
PROFILES = ("milesight-em310-udl", "dingtek-df702")
TABLE = """
municipality = "tripoli"
gateway = "lorawan"

[[model]]
name = "Milesight EM310-UDL"
kind = "bin"
profile = "milesight-em310-udl"
attributes = {install_height_mm = 1400, merge = true}

[[model]]
name = "dingtek/df702"
kind = "bin"
municipality = "mina"

[[model]]
name = "Indoor tester"
"""


def device(eui: str = "24E124136B502217", *models: str, **more: object) -> NetworkDevice:
    return NetworkDevice(eui=eui, models=models or ("Milesight EM310-UDL",), **more)  # type: ignore[arg-type]


def test_a_device_gets_kind_profile_and_place_by_the_table_of_its_model() -> None:
    found = device(title="Souk", lat=34.43, lon=35.84, tags={"serial": "S-1"})

    read, left = rows(parse(TABLE, KINDS, PROFILES), [found], KINDS)

    assert (read.problems, left) == ([], [])
    (row,) = read.rows
    assert (row.line, row.new.name, row.new.kind, row.new.municipality) == (1, found.eui, "bin", "tripoli")
    assert (row.new.title, row.new.lat, row.new.lon, row.new.serial) == ("Souk", 34.43, 35.84, "S-1")
    assert row.new.relays == ("lorawan",)
    assert row.new.attributes == {
        "install_height_mm": 1400,
        "merge": True,
        "profile": "milesight-em310-udl",
    }


def test_a_models_municipality_gives_way_to_a_tag_and_comes_before_the_tables() -> None:
    table = parse(TABLE, KINDS, PROFILES)
    found = [
        device("24E124136B502218", "dingtek/df702"),
        device("24E124136B502219", "Dingtek/DF702", tags={"municipality": "beddawi"}),
    ]

    read, _ = rows(table, found, KINDS)

    assert [row.new.municipality for row in read.rows] == ["mina", "beddawi"]
    assert [row.new.attributes for row in read.rows] == [
        {"model": "dingtek/df702"},
        {"model": "Dingtek/DF702"},
    ]


def test_a_model_without_a_kind_is_left_out_and_one_that_is_not_named_is_a_problem() -> None:
    found = [device("24E124136B502218", "Indoor tester"), device("24E124136B502219", "Nobody's")]

    read, left = rows(parse(TABLE, KINDS, PROFILES), found, KINDS)

    assert left == ["24E124136B502218"]
    assert [(p.line, p.field) for p in read.problems] == [(2, "model")]
    assert "Nobody's" in read.problems[0].message


def test_every_other_model_may_be_named_by_a_star() -> None:
    table = parse(TABLE + '\n[[model]]\nname = "*"\nkind = "light"\n', KINDS, PROFILES)

    read, _ = rows(table, [device("24E124136B502219", "Nobody's"), device()], KINDS)

    assert [row.new.kind for row in read.rows] == ["light", "bin"]


@pytest.mark.parametrize("eui", ["", "24E124136B50221", "24E124136B50221Z", "../../etc/passwd"])
def test_what_is_no_deveui_is_a_problem(eui: str) -> None:
    read, _ = rows(parse(TABLE, KINDS, PROFILES), [device(eui)], KINDS)

    assert [(p.line, p.field) for p in read.problems] == [(1, "name")]


def test_a_device_without_a_municipality_is_a_problem() -> None:
    table = parse('[[model]]\nname = "*"\nkind = "bin"\n', KINDS, PROFILES)

    read, _ = rows(table, [device()], KINDS)

    assert [(p.line, p.field) for p in read.problems] == [(1, "municipality")]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("municipality = [", "Invalid"),
        ('town = "tripoli"', "unknown key 'town'"),
        ('[[model]]\nname = "x"\nkid = "bin"', "model 1: unknown key 'kid'; did you mean 'kind'?"),
        ('[[model]]\nname = "x"\nkind = "bim"', "kind 'bim' is not declared"),
        ('[[model]]\nname = "x"\nkind = "bin"\nprofile = "milesight"', "no profile 'milesight'"),
        ('[[model]]\nname = "x"\n[[model]]\nname = "x"', "stands twice"),
        ("[[model]]\nname = 3", "Expected `str`"),
        ("model = 3", "Expected `array`"),
    ],
)
def test_a_table_with_a_mistake_is_refused_with_its_place(table: str, said: str) -> None:
    with pytest.raises(MappingRefused, match=said.replace("?", r"\?")):
        parse(table, KINDS, PROFILES)
