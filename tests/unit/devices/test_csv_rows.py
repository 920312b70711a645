"""Lists of devices are read as spreadsheets write them."""

from __future__ import annotations

from typing import Any

import pytest

from devices.kinds import load
from devices.registry.csv_rows import LineProblem, attribute_value, read
from devices.registry.registration import NewDevice

KINDS = load()
HEADER = "name,kind,municipality,lat,lon,attr.volume_l\n"
BIN = NewDevice(
    name="B-1",
    kind="bin",
    municipality="tripoli",
    title="ساحة الساعة",
    lat=34.4,
    lon=35.8,
    attributes={"volume_l": 660.0},
)


def faults(text: str) -> list[tuple[int, str]]:
    return [(p.line, p.field) for p in read(text.encode(), KINDS).problems]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_list_is_read_whatever_program_saved_it(delimiter: str, encoding: str, newline: str) -> None:
    lines = [
        ["name", "kind", "municipality", "title", "lat", "lon", "attr.volume_l", "parent"],
        ["B-1", "bin", "tripoli", "ساحة الساعة", "34.4", "35.8", "660", ""],
        [""] * 8,
    ]
    content = newline.join(delimiter.join(cells) for cells in lines).encode(encoding)

    result = read(content, KINDS)

    assert result.problems == []
    assert [(row.line, row.new) for row in result.rows] == [(2, BIN)]


def test_every_problem_of_every_line_is_reported_at_once() -> None:
    text = HEADER + "B 1,bim,tripoli,34.4,,\nB-2,bin,tripoli,34.4,35.8,big\nB-3,bin\nB-4,bin,,x,35.8,\n"

    assert faults(text) == [
        (2, "name"),
        (2, "kind"),
        (2, "lon"),
        (3, "attributes.volume_l"),
        (4, ""),
        (5, "municipality"),
        (5, "lat"),
    ]


def test_line_numbers_count_lines_inside_quotes() -> None:
    text = 'name,kind,municipality,title\nB-1,bin,tripoli,"two\nlines"\nB-2,bim,tripoli,x\n'

    assert faults(text) == [(4, "kind")]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("name,kind", "municipality"),
        ("name,kind,municipality,lng", "lng"),
        ("name,name,kind,municipality", "name"),
    ],
)
def test_header_that_is_wrong_is_one_problem(header: str, field: str) -> None:
    assert faults(f"{header}\n") == [(1, field)]


def test_decimal_comma_is_explained() -> None:
    result = read(b"name;kind;municipality;lat;lon\nB-1;bin;tripoli;34,4;35.8\n", KINDS)

    assert [p.message for p in result.problems] == [
        "'34,4' is not a number; write the decimals after a point"
    ]


def test_title_that_is_refused_is_named_by_its_column() -> None:
    result = read("name,kind,municipality,title_ar\nB-1,bin,tripoli,سوق\u202e\n".encode(), KINDS)

    assert [p.field for p in result.problems] == ["title_ar"]


def test_other_encoding_is_named_with_its_line() -> None:
    result = read("name,kind,municipality,title\nB,bin,t,é\n".encode("latin-1"), KINDS)

    assert result.problems == [LineProblem(line=2, field="", message="not UTF-8: save the file as CSV UTF-8")]


@pytest.mark.parametrize("content", [b"", b"\n", b'name,kind,municipality\n"', b"\x00"])
def test_file_that_is_no_list_is_a_problem_and_no_crash(content: bytes) -> None:
    assert read(content, KINDS).problems


@pytest.mark.parametrize(
    ("cell", "value"), [("7", 7), ("true", True), ("north", "north"), ("NaN", "NaN"), ("[1]", [1])]
)
def test_undeclared_attribute_becomes_what_it_looks_like(cell: str, value: Any) -> None:
    result = read(f"name,kind,municipality,attr.x\nB-1,bin,t,{cell}\n".encode(), KINDS)

    assert result.rows[0].new.attributes == {"x": value}


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\r\nName;Kind;MUNICIPALITY;Attr.volume_l;;\r\nB-1;bin;tripoli;660;;\r\n",
        "name,kind,municipality,attr.volume_l,,\nB-1,bin,tripoli,660\n",
        "SEP=,\nname,kind,municipality,attr.volume_l\nB-1,bin,tripoli,660,,,\n",
    ],
)
def test_what_spreadsheets_add_is_left_out(text: str) -> None:
    result = read(text.encode(), KINDS)

    assert result.problems == []
    (row,) = result.rows
    assert row.line == (3 if text.lower().startswith("sep") else 2)
    assert row.new == NewDevice(
        name="B-1", kind="bin", municipality="tripoli", attributes={"volume_l": 660.0}
    )


def test_line_numbers_count_the_line_that_names_the_separator() -> None:
    assert faults("sep=;\nname;kind;municipality\nB-1;bin;tripoli\nB-2;bim;tripoli\n") == [(4, "kind")]
    assert faults("sep=;\nname;kind\n") == [(2, "municipality")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12E5", "12E5"),
        ("007", "007"),
        ("1.50", "1.50"),
        ("12345678901234567890", "12345678901234567890"),
        ("90", 90),
        ("-34.5", -34.5),
        ("true", True),
        ("[1, 2]", [1, 2]),
        ("NaN", "NaN"),
    ],
)
def test_attribute_that_nobody_declared_is_text_unless_it_reads_the_same_as_a_value(
    text: str, value: Any
) -> None:
    found = attribute_value("serial", text, None)

    assert found == value
    assert type(found) is type(value)
