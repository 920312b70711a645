"""The language of $filter and the other options, with examples of OGC 18-088 (SensorThings 1.1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.overview.now import DeviceNow
from api.standards.sensorthings import model
from api.standards.sensorthings.evaluate import check, is_true
from api.standards.sensorthings.expression import BadExpression, Literal, parse
from api.standards.sensorthings.observations import FIRST, LAST, fits, span_of
from api.standards.sensorthings.options import BadOption, read
from api.standards.sensorthings.world import World
from devices.kinds import load

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
GIVEN: dict[str, Any] = {
    "result": 10.5,
    "name": "Temperature",
    "phenomenonTime": datetime(2012, 6, 26, 3, 42, 2, tzinfo=UTC),
    "location": {"type": "Point", "coordinates": [35.84, 34.43]},
    "Datastreams/unitOfMeasurement/name": ["Celsius", "Volt"],
    "flag": True,
    "missing": None,
}


def find(path: tuple[str, ...]) -> list[Any]:
    found = GIVEN["/".join(path)]
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("result eq 10.5", True),
        ("result ne 10.5", False),
        ("result gt 10 and result lt 11", True),
        ("result lt 5 or result gt 10", True),
        ("not (result eq 10.5)", False),
        ("not result eq 3", True),
        ("result sub 0.5 eq 10", True),
        ("2 add 3 mul 4 eq 14", True),
        ("(2 add 3) mul 4 eq 20", True),
        ("result div 0 eq 1", False),
        ("result mod 4 eq 2.5", True),
        ("result gt -1", True),
        ("substringof('emper',name)", True),
        ("endswith(name,'ture')", True),
        ("startswith(name,'Temp')", True),
        ("length(name) eq 11", True),
        ("indexof(name,'emp') eq 1", True),
        ("substring(name,1,3) eq 'emp'", True),
        ("tolower(name) eq 'temperature'", True),
        ("toupper(trim(' x ')) eq 'X'", True),
        ("concat(name,'s') eq 'Temperatures'", True),
        ("name eq 'it''s'", False),
        ("year(phenomenonTime) eq 2012", True),
        ("month(phenomenonTime) eq 6 and day(phenomenonTime) eq 26", True),
        ("hour(phenomenonTime) eq 3 and minute(phenomenonTime) eq 42 and second(phenomenonTime) eq 2", True),
        ("phenomenonTime lt now()", True),
        ("phenomenonTime gt now() sub duration'P1D'", False),
        ("phenomenonTime eq 2012-06-26T03:42:02Z", True),
        ("phenomenonTime eq 2012-06-26T05:42:02.000+02:00", True),
        ("round(result) eq 11 and floor(result) eq 10 and ceiling(result) eq 11", True),
        ("st_within(location, geography'POLYGON ((35 34, 36 34, 36 35, 35 35, 35 34))')", True),
        ("st_within(location, geography'POLYGON ((0 0, 1 0, 1 1, 0 0))')", False),
        ("st_equals(location, geography'POINT (35.84 34.43)')", True),
        ("geo.intersects(location, geography'LINESTRING (35.84 34, 35.84 35)')", True),
        ("geo.distance(location, geography'POINT (35.84 34.44)') lt 1200", True),
        ("geo.distance(location, geography'POINT (35.84 34.44)') lt 1000", False),
        # A path to several: one that fits is enough.
        ("Datastreams/unitOfMeasurement/name eq 'Volt'", True),
        ("Datastreams/unitOfMeasurement/name eq 'Watt'", False),
        # Another sort, or null, is nothing of it.
        ("name gt 5", False),
        ("missing eq null", True),
        ("missing gt 5 or missing lt 5", False),
        ("flag eq true", True),
        ("flag", True),
        ("length(result) gt 0", False),
    ],
)
def test_filter_is_answered_as_the_standard_says(asked: str, fits: bool) -> None:
    node = parse(asked)
    check(node)

    assert is_true(node, find, NOW, lambda: None) is fits


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("", "ends where a value or a property"),
        ("result eq", "ends where"),
        ("result == 5", "cannot be read from character 7"),
        ("(result eq 5", "a )"),
        ("result eq 5 result", "expected an operator or the end at character 13"),
        ("st_within(location, geography'POINT (1')", "is no geography"),
        ("phenomenonTime gt 2012-13-45T00:00:00Z", "is no instant"),
        ("phenomenonTime gt now() sub duration'1 day'", "is no duration"),
        ("nosuch(result)", "is no function here"),
        ("length(name,name)", "does not take 2 arguments"),
        ("(" * 60 + "1" + ")" * 60, "nests deeper"),
        ("not " * 60 + "flag", "nests deeper"),
        (" or ".join(["flag"] * 500), "more than 400"),
    ],
)
def test_filter_that_is_none_is_refused_with_its_place(asked: str, why: str) -> None:
    with pytest.raises(BadExpression) as refused:
        check(parse(asked))

    assert why in str(refused.value)


def test_instants_in_a_filter_become_the_span_that_is_read() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    assert span_of(None) == (FIRST, LAST)
    both = parse(
        "phenomenonTime ge 2026-01-01T00:00:00Z and (2026-01-02T00:00:00Z gt resultTime) and result gt 1"
    )
    found = span_of(both)
    assert found[0] == start
    assert end <= found[1] < end.replace(second=1)
    assert span_of(parse("phenomenonTime gt 2026-01-01T00:00:00Z or result gt 1")) == (FIRST, LAST)


def test_options_nest_and_paths_in_expand_are_nested_options() -> None:
    found = read(
        {
            "$expand": "Datastreams($top=2;$orderby=name desc;$expand=Observations($filter=result gt 5)),"
            "Locations,Datastreams/ObservedProperty",
            "$select": "name, id",
            "$top": "5000",
            "$count": "true",
        }
    )

    assert set(found.expand) == {"Datastreams", "Locations"}
    assert set(found.expand["Datastreams"].expand) == {"Observations", "ObservedProperty"}
    nested = read({"$expand": "Datastreams($top=2;$expand=Observations($top=1))"}).expand["Datastreams"]
    assert (nested.top, nested.expand["Observations"].top) == (2, 1)
    assert (found.select, found.top, found.count) == (("name", "id"), 1000, True)
    assert read({"$filter": "5"}).filter == Literal(5)


@pytest.mark.parametrize(
    "texts",
    [
        {"$filer": "x"},
        {"$top": "-1"},
        {"$top": "ten"},
        {"$skip": "100001"},
        {"$count": "yes"},
        {"$orderby": "name eq"},
        {"$filter": "not (Datastreams/Thing/Datastreams/Thing/name eq 'x')"},
        {"$orderby": "name,Datastreams/Thing/Datastreams/Thing/name desc"},
        {"$expand": "Datastreams($filter=Thing/Datastreams/Thing/Datastreams/name eq 'x')"},
        {"$expand": "Datastreams($top)"},
        {"$expand": "Datastreams($top=1"},
        {"$expand": "A($expand=B($expand=C($expand=D($expand=E($expand=F)))))"},
    ],
)
def test_option_that_is_none_is_refused(texts: dict[str, str]) -> None:
    with pytest.raises(BadOption):
        read(texts)


KINDS = load()
BIN = KINDS["bin"]
DEVICE = DeviceNow(
    id=1, name="bin-1", kind="bin", municipality="tripoli", title="", lat=None, lon=None, attributes={},
    parent=None, installed_at=NOW, district={}, street={},
)  # fmt: skip


def test_path_tells_what_it_leads_to_once() -> None:
    world = World(kinds=KINDS, devices=[DEVICE], check=lambda: None)
    thing = model.thing(DEVICE)

    assert world.values(thing, ("Datastreams", "Thing", "name")) == ["bin-1"]
    names = world.values(thing, ("Datastreams", "Thing", "Datastreams", "description"))
    assert len(names) == len(BIN.measurements) == len(set(names))


def test_what_conditions_repeat_is_looked_for_once() -> None:
    seen: list[None] = []
    world = World(kinds=KINDS, devices=[DEVICE], check=lambda: seen.append(None))
    asked = parse(" or ".join(["Datastreams/properties/no eq 'x'"] * 90))

    assert not fits(world, model.thing(DEVICE), asked, NOW)
    assert seen.count(None) < 90 * (len(BIN.measurements) + 10)


def test_comparing_many_with_many_looks_at_the_time() -> None:
    looked: list[None] = []
    many: list[Any] = list(range(500))

    def found(path: tuple[str, ...]) -> list[Any]:
        return many if path == ("a",) else [-1]

    assert not is_true(parse("a eq b"), found, NOW, lambda: looked.append(None))
    assert len(looked) >= 500
