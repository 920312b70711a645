"""Rows as bytes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.http import formats
from api.http.formats import Format


async def pages(*lists: list[dict[str, Any]]) -> AsyncIterator[list[dict[str, Any]]]:
    for rows in lists:
        yield rows


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_csv_cell_is_escaped_when_a_spreadsheet_would_evaluate_it(text: str) -> None:
    assert formats.cell(text) == "'" + text


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "true"),
        (-1.5, "-1.5"),
        (7, "7"),
        ("حاوية", "حاوية"),
        ("a=b", "a=b"),
        ({"a": 1}, '{"a":1}'),
    ],
)
def test_csv_cell_keeps_what_no_spreadsheet_evaluates(value: Any, cell: str) -> None:
    assert formats.cell(value) == cell


def test_csv_line_survives_commas_quotes_and_line_ends() -> None:
    row = ['say "no"', "a,b", "two\nlines"]

    (read,) = csv.reader(io.StringIO(formats.csv_lines([row]).decode(), newline=""))

    assert read == row


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Format.JSON),
        ("*/*", Format.JSON),
        ("text/csv", Format.CSV),
        ("text/html, application/x-ndjson;q=0.9", Format.NDJSON),
        ("image/png", Format.JSON),
    ],
)
def test_format_is_the_first_that_accept_names(accept: str | None, form: Format) -> None:
    assert formats.negotiate(accept) is form


def test_format_of_rows_without_a_place_is_none_with_places() -> None:
    accept = "application/geo+json, text/csv"

    assert formats.negotiate(accept) is Format.GEOJSON
    assert formats.negotiate(accept, among=formats.TABLES) is Format.CSV


@pytest.mark.parametrize("lists", [[], [[]], [[{"id": 1}]], [[{"id": 1}], [], [{"id": 2}, {"id": 3}]]])
async def test_streamed_geojson_is_one_collection(lists: list[list[dict[str, Any]]]) -> None:
    parts = [part async for part in formats.as_geojson(["id", "lat"], pages(*lists), head={"license": "x"})]

    collection = json.loads(b"".join(parts))
    ids = [row["id"] for rows in lists for row in rows]
    assert (collection["type"], collection["license"]) == ("FeatureCollection", "x")
    assert [one["id"] for one in collection["features"]] == ids
    assert all(one["geometry"] is None for one in collection["features"])


@pytest.mark.parametrize("lists", [[], [[]], [[{"a": 1}]], [[{"a": 1}], [], [{"a": 2}, {"a": 3}]]])
async def test_streamed_json_is_one_document(lists: list[list[dict[str, Any]]]) -> None:
    parts = [part async for part in formats.as_json({"device": "x"}, "rows", pages(*lists))]

    assert json.loads(b"".join(parts)) == {"device": "x", "rows": [row for rows in lists for row in rows]}
