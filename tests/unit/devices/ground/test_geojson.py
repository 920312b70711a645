"""Files of districts and streets: what is taken from them, and what each mistake is answered with."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.registry.ground import geojson
from devices.registry.ground.feature import Feature, Layer
from tests.unit.devices.ground.files import EAST, STREET, TRIPOLI, WEST, box, feature, file

BOW_TIE = {
    "type": "Polygon",
    "coordinates": [[[35.8, 34.4], [35.9, 34.5], [35.9, 34.4], [35.8, 34.5], [35.8, 34.4]]],
}


def read_one(properties: dict[str, Any], identifier: object = None) -> tuple[str, dict[str, str]]:
    """Code and names of one feature, which is to be accepted."""
    one = {"type": "Feature", "id": identifier, "properties": properties, "geometry": WEST}
    read = geojson.read(file(one), Layer.DISTRICTS, TRIPOLI)
    assert read.problems == []
    return read.features[0].name, dict(read.features[0].title)


@pytest.mark.parametrize(
    "properties",
    [
        {"name:en": "Harbour", "name:fr": "Port", "name:ar": "الميناء"},
        {"NAME_EN": "Harbour", "Name_fr": "Port", "name_AR": "الميناء"},
        {"title.en": "Harbour", "title.fr": "Port", "title.ar": "الميناء"},
        {"name": {"en": "Harbour", "fr": "Port", "ar": "الميناء"}},
        {"name": "الميناء", "name:en": " Harbour ", "name:fr": "Port"},
    ],
)
def test_names_are_found_as_files_usually_write_them(properties: dict[str, Any]) -> None:
    assert read_one(properties) == ("harbour", {"en": "Harbour", "fr": "Port", "ar": "الميناء"})


def test_a_plain_name_is_in_its_script_s_language_or_the_municipality_s() -> None:
    french = replace(TRIPOLI, locale="fr-MA")
    arabic = geojson.read(file(feature(WEST, name="الميناء", code="m")), Layer.DISTRICTS, TRIPOLI)
    latin = geojson.read(file(feature(WEST, name="Souika")), Layer.DISTRICTS, french)

    assert arabic.features[0].title == {"ar": "الميناء"}
    assert latin.features[0].title == {"fr": "Souika"}


def test_a_code_is_the_property_or_the_id_or_made_from_the_name() -> None:
    assert read_one({"code": "D-1", "name": "Harbour"}, "way/7")[0] == "D-1"
    assert read_one({"code": 12, "name": "Harbour"})[0] == "12"
    assert read_one({"name": "Harbour"}, "way/7")[0] == "way-7"
    assert read_one({"code": "", "name": "Harbour"})[0] == "harbour"
    assert read_one({"@id": "way/8", "name": "Harbour"})[0] == "way-8"
    assert read_one({"name": "Bāb al-Ramel"})[0] == "bab-al-ramel"


TOUCHING = {"type": "MultiPolygon", "coordinates": [WEST["coordinates"], EAST["coordinates"]]}
METRES = box(3990800.0, 4090000.0, 3990900.0, 4090100.0)
SWAPPED = box(34.42, 35.82, 34.45, 35.85)


@pytest.mark.parametrize(
    ("geometry", "place", "said"),
    [
        (None, "geometry", "draw a Polygon or MultiPolygon"),
        (STREET, "geometry/type", "close the line"),
        ({"type": "Point", "coordinates": [35.8, 34.4]}, "geometry/type", "leave points out"),
        ({"type": "GeometryCollection", "geometries": []}, "geometry/type", "keep its parts"),
        ({"type": "Polygon", "coordinates": [[[35.8, 34.4]]]}, "geometry/coordinates", "length >= 4"),
        ({"type": "Polygon", "coordinates": [[["a", 1]] * 4]}, "geometry/coordinates", "Expected `float`"),
        (
            {"type": "Polygon", "coordinates": [WEST["coordinates"][0][:-1]]},
            "geometry",
            "as its last position",
        ),
        (TOUCHING, "geometry", "parts that touch along a border are one part"),
        (BOW_TIE, "geometry", "edges cross or overlap at [35.85, 34.45]"),
        (SWAPPED, "geometry", "swapped? 34.42, 35.85 lies in tripoli; GeoJSON is longitude first"),
        (box(34.4, 95.0, 34.5, 95.1), "geometry", "latitude first?"),
        (METRES, "geometry", "ogr2ogr -t_srs EPSG:4326"),
        (box(13.1, 32.8, 13.2, 32.9), "geometry", "km from tripoli, 100 km are allowed"),
        (box(-179.9, 34.4, 179.9, 34.5), "geometry", "cut there into two parts"),
        (box(35.8, 34.4, 39.9, 34.5), "geometry", "200 km are allowed: one position is far off"),
    ],
)
def test_a_geometry_that_cannot_be_meant_is_refused_with_its_place_and_what_mends_it(
    geometry: object, place: str, said: str
) -> None:
    read = geojson.read(
        file(feature(EAST, name="Good"), feature(geometry, name="Harbour")), Layer.DISTRICTS, TRIPOLI
    )

    assert [one.name for one in read.features] == ["good"]
    (problem,) = read.problems
    assert (problem.pointer, problem.feature) == (f"/features/1/{place}", "features[1] harbour")
    assert said in problem.message


def test_a_line_that_goes_nowhere_is_refused_and_a_square_is_a_street() -> None:
    nowhere = {"type": "LineString", "coordinates": [[35.84, 34.43], [35.84, 34.43, 7.0]]}
    content = file(feature(nowhere, name="A"), feature(WEST, name="Square"), feature(STREET, name="B"))

    read = geojson.read(content, Layer.STREETS, TRIPOLI)

    assert [one.name for one in read.features] == ["square", "b"]
    assert "draw where the street goes" in read.problems[0].message


@pytest.mark.parametrize(
    ("content", "pointer", "said"),
    [
        (b"", "", "not GeoJSON"),
        (b"\xff\xfe{", "", "not GeoJSON"),
        (b"PK\x03\x04", "", "a zip, a KML or GML, or a shapefile"),
        (b"[" * 100_000, "", "nests too deeply"),
        (b"[]", "/type", "not a GeoJSON FeatureCollection"),
        (b'{"type": "Topology"}', "/type", "export it as GeoJSON"),
        (file(), "/features", "has no features"),
        (b'{"type": "FeatureCollection", "features": 5}', "/features", "has no features"),
        (file(*[0] * (geojson.MOST_FEATURES + 1)), "/features", "50,001 features"),
        (b" " * (geojson.MOST_BYTES + 1), "", "ogr2ogr -simplify"),
        (
            file(feature(WEST, name="A"), crs={"type": "name", "properties": {"name": "EPSG:32636"}}),
            "/crs",
            "its coordinates are in EPSG:32636; convert the file to WGS 84",
        ),
        (file(feature(WEST, name="A"), crs={"type": "link"}), "/crs", "its coordinates are in no name"),
    ],
)
def test_a_file_that_is_no_layer_is_refused_as_a_whole(content: bytes, pointer: str, said: str) -> None:
    read = geojson.read(content, Layer.DISTRICTS, TRIPOLI)

    assert read.features == []
    (problem,) = read.problems
    assert (problem.pointer, problem.feature) == (pointer, "")
    assert said in problem.message


@pytest.mark.parametrize("name", ["urn:ogc:def:crs:OGC:1.3:CRS84", "urn:ogc:def:crs:EPSG::4326", "EPSG:4326"])
def test_the_crs_of_geojson_itself_is_taken_and_so_is_a_byte_order_mark(name: str) -> None:
    content = file(feature(WEST, name="A"), crs={"type": "name", "properties": {"name": name}})

    assert geojson.read(b"\xef\xbb\xbf" + content, Layer.DISTRICTS, TRIPOLI).problems == []


def test_every_problem_of_a_file_is_told_at_once() -> None:
    content = file(
        feature(WEST, code="a"),
        feature(SWAPPED, name=5),
        feature(BOW_TIE, code="d/1", name="Old town"),
        feature(WEST, name="الميناء"),
        "no feature",
        feature(WEST, code="b", name="x" * 201),
        feature(WEST, code="auto", name="Auto"),
        feature(WEST, code="c", name="One"),
        feature(EAST, code="c", name="Two"),
        feature(EAST, code="n", name="Two\x00"),
    )

    read = geojson.read(content, Layer.DISTRICTS, TRIPOLI)

    assert [one.name for one in read.features] == ["c"]
    assert [problem.pointer.removeprefix("/features/") for problem in read.problems] == [
        "0/properties",
        "1/properties/name",
        "1/geometry",
        "2/properties/code",
        "2/geometry",
        "3/properties/code",
        "4/type",
        "5/properties/name",
        "6/properties/code",
        "8/properties/code",
        "9/properties/name",
    ]
    said = [problem.message for problem in read.problems]
    assert "write name:en, name:fr and name:ar" in said[0]
    assert "for example d-1" in said[3]
    assert "no Latin name to make one from" in said[5]
    assert "is the code of features[7] too" in said[9]
    assert read.problems[3].feature == "features[2] Old town"


def test_a_layer_written_is_read_again_as_it_was() -> None:
    read = geojson.read(
        file(feature(WEST, code="w", name__en="West", name__ar="غرب"), feature(EAST, code="e", name="East")),
        Layer.DISTRICTS,
        TRIPOLI,
    )
    stored = [
        Feature(
            id=i,
            name=one.name,
            title=one.title,
            geometry=one.geometry,
            updated_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        for i, one in enumerate(read.features)
    ]

    again = geojson.read(json.dumps(geojson.write(stored)).encode(), Layer.DISTRICTS, TRIPOLI)

    assert again == read
