"""The query language, patterns and geoqueries of NGSI-LD, with the queries of ETSI GS CIM 009 (4.9, 4.10)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from api.standards.ngsi_ld import geography, query
from api.standards.ngsi_ld.geography import BadGeoquery
from api.standards.ngsi_ld.patterns import BadPattern, Pattern
from api.standards.ngsi_ld.query import BadQuery
from api.standards.ngsi_ld.values import EntityAttribute

SEEN = datetime(2017, 12, 24, 13, 0, tzinfo=UTC)
GIVEN = {
    "speed": EntityAttribute(name="speed", value=80.5, unit_code="KMH", observed_at=SEEN),
    "brandName": EntityAttribute(name="brandName", value="Mercedes"),
    "isParked": EntityAttribute(name="isParked", value="urn:ngsi-ld:OffStreetParking:1", type="Relationship"),
    "open": EntityAttribute(name="open", value=True),
    "address": EntityAttribute(name="address", value={"city": "Berlin", "street": {"name": "Tauentzien"}}),
    "since": EntityAttribute(name="since", value={"@type": "DateTime", "@value": "2018-12-04T12:00:00Z"}),
}


@pytest.mark.parametrize(
    ("asked", "fits"),
    [
        ("speed>50", True),
        ("speed>80.5", False),
        ("speed>=80.5;speed<=80.5", True),
        ('speed>50;brandName!="Mercedes"', False),
        ('(speed>50|temperature>30);brandName=="Mercedes"', True),
        ('speed>90|brandName=="Mercedes";open==true', True),
        ("speed==50..90", True),
        ("speed!=50..90", False),
        ("speed==10,80.5", True),
        ('brandName=="Opel","Mercedes"', True),
        ('brandName!="Opel"', True),
        ("isParked==urn:ngsi-ld:OffStreetParking:1", True),
        ('isParked=="urn:ngsi-ld:OffStreetParking:2"', False),
        ("speed.observedAt>=2017-12-24T12:00:00Z", True),
        ("speed.observedAt<2017-12-24", False),
        ("since>2018-12-04T11:30:00+00:00", True),
        ('speed.unitCode=="KMH"', True),
        ('address[city]=="Berlin"', True),
        ('address[street.name]=="Tauentzien"', True),
        ('address[city]=="Madrid"', False),
        ('brandName~="^Merc.*s$"', True),
        ('brandName!~="^Merc.*s$"', False),
        ("open", True),
        ("temperature", False),
        # Of another sort, or not there: neither equal nor unequal, greater nor less.
        ('speed=="80.5"', False),
        ("temperature!=3", False),
        ("open>3", False),
    ],
)
def test_query_is_answered_as_the_standard_says(asked: str, fits: bool) -> None:
    assert query.condition(asked)(GIVEN) is fits


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("", "ends where the name of an attribute is expected"),
        ("speed>", "ends where a value is expected"),
        ("speed>5;", "ends where the name"),
        ("(speed>5", "a )"),
        ("speed=5", "cannot be read from character 6"),
        ("speed>1..5", "a range is compared with =="),
        ("speed>5 open", "expected ; or | or the end at character 9"),
        ('speed~="(a"', "no regular expression of RE2: missing )"),
        ("(" * 30 + "speed" + ")" * 30, "nests deeper"),
        (";".join(["speed"] * 500), "more than 50 terms"),
        ("http://other.example/speed>5", "no attribute that is known"),
    ],
)
def test_query_that_is_none_is_refused_with_its_place(asked: str, why: str) -> None:
    with pytest.raises(BadQuery) as refused:
        query.condition(asked)

    assert why in str(refused.value)


@pytest.mark.parametrize(
    "pattern",
    ["[", "(?=a)", r"(a)\1", "x" * 300, r"(\pL{30}){30}", "\ud800", "[" + r"\a" * 99],
)
def test_pattern_that_is_none_or_unfolds_to_much_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        Pattern(pattern)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "^(a|a)*$", "^a*a*a*a*a*$", "^(a*)*(a*)*$", "^(a?){60}a{60}$", "^(?:a+b?)+$"]
)
def test_pattern_is_matched_in_time_that_grows_with_the_text_alone(pattern: str) -> None:
    one, begun = Pattern(pattern), time.thread_time()

    for _ in range(20):
        assert not one.is_in("a" * 120 + "!")

    assert time.thread_time() - begun < 2  # an engine that tries every way takes years


def test_pattern_looks_at_the_first_characters_alone() -> None:
    assert Pattern("a").is_in("b" * 127 + "a")
    assert not Pattern("a").is_in("b" * 128 + "a")
    assert Pattern("ة$").is_in("حاوية")
    assert Pattern("b").begins("bin")
    assert not Pattern("n").begins("bin")


HERE = {"type": "Point", "coordinates": [-3.7038, 40.4168]}
SQUARE = "[[[-4,40],[-3,40],[-3,41],[-4,41],[-4,40]]]"


@pytest.mark.parametrize(
    ("georel", "geometry", "coordinates", "fits"),
    [
        ("near;maxDistance==2000", "Point", "[-3.7038,40.4268]", True),
        ("near;maxDistance==1000", "Point", "[-3.7038,40.4268]", False),
        ("near;minDistance==1000", "Point", "[-3.7038,40.4268]", True),
        ("within", "Polygon", SQUARE, True),
        ("within", "MultiPolygon", f"[{SQUARE}]", True),
        ("intersects", "Polygon", "[[[0,0],[1,0],[1,1],[0,0]]]", False),
        ("disjoint", "Polygon", "[[[0,0],[1,0],[1,1],[0,0]]]", True),
        ("equals", "Point", "[-3.7038,40.4168]", True),
    ],
)
def test_geoquery_is_answered_as_the_standard_says(
    georel: str, geometry: str, coordinates: str, fits: bool
) -> None:
    assert geography.condition(georel, geometry, coordinates)(HERE) is fits


@pytest.mark.parametrize(
    ("georel", "geometry", "coordinates", "why"),
    [
        ("near", "Point", "[1,2]", "is none of near;maxDistance"),
        ("near;maxDistance==5", "Polygon", SQUARE, "of a Point"),
        ("within", "Circle", "[1,2]", "is none of Point"),
        ("within", "Polygon", "[[1,2]", "write the coordinates"),
        ("within", "Polygon", '[["a",2]]', "no number"),
        ("within", "Polygon", "[[[0,0],[1,1],[1,0],[0,1],[0,0]]]", "edges do not cross"),
        ("within", "Point", "[NaN,2]", "are degrees"),
        ("within", "LineString", f"[{','.join(['[1,2]'] * 3000)}]", "more than 2000"),
        ("within", "Polygon", "[" * 100_000, "write the coordinates"),
    ],
)
def test_geoquery_that_is_none_is_refused(georel: str, geometry: str, coordinates: str, why: str) -> None:
    with pytest.raises(BadGeoquery, match=why.replace("(", r"\(")):
        geography.condition(georel, geometry, coordinates)
