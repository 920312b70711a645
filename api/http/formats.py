"""Rows as JSON, NDJSON, CSV or GeoJSON, as a stream that never holds the whole answer; Parquet is in parquet.

A page is written in a thread: one of thousands of rows would hold up everybody else. Must not know what the
rows mean.
"""

from __future__ import annotations

import asyncio
import codecs
import csv
import io
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from devices import spreadsheet
from devices.instants import rfc3339

Row = Mapping[str, Any]
T = TypeVar("T")


class Format(StrEnum):
    """What `format=` takes."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    PARQUET = "parquet"
    GEOJSON = "geojson"


MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.NDJSON: "application/x-ndjson",
    Format.CSV: "text/csv",
    Format.PARQUET: "application/vnd.apache.parquet",
    Format.GEOJSON: "application/geo+json",
}


TABLES = (Format.JSON, Format.NDJSON, Format.CSV, Format.PARQUET)
"""What rows without a place can be."""


def negotiate(accept: str | None, among: Collection[Format] = tuple(Format)) -> Format:
    """Return the first format of these that `Accept` names; JSON when it names none."""
    for part in (accept or "").split(","):
        wanted = part.split(";")[0].strip().lower()
        for form, media_type in MEDIA_TYPES.items():
            if wanted == media_type and form in among:
                return form
    return Format.JSON


def cell(value: Any) -> str:
    """Return one CSV cell; text that a spreadsheet would evaluate gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return rfc3339(value)
    return spreadsheet.plain(value if isinstance(value, str) else msgspec.json.encode(value).decode())


def csv_lines(rows: Sequence[Sequence[Any]], *, bom: bool = False) -> bytes:
    """Return rows as CSV (RFC 4180), UTF-8; bom: see as_csv."""
    out = io.StringIO()
    csv.writer(out).writerows([cell(value) for value in row] for row in rows)
    return (codecs.BOM_UTF8 if bom else b"") + out.getvalue().encode()


async def as_json(head: Row, name: str, pages: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """Yield one JSON object: the members of `head`, then the rows as the array `name`."""
    yield msgspec.json.encode(head)[:-1] + b"," + msgspec.json.encode(name) + b":["
    separator = b""
    async for page in pages:
        if page:
            yield separator + b",".join(msgspec.json.encode(row) for row in page)
            separator = b","
    yield b"]}"


async def as_ndjson(pages: AsyncIterator[Sequence[object]]) -> AsyncIterator[bytes]:
    """Yield one JSON object a line."""
    async for page in pages:
        yield await asyncio.to_thread(_json_lines, page)


def _json_lines(rows: Sequence[object]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


async def as_csv(
    columns: Sequence[str], pages: AsyncIterator[Sequence[Row]], *, bom: bool = False
) -> AsyncIterator[bytes]:
    """Yield a header line and one line a row, the columns in that order.

    bom: begin with a byte order mark, without which Excel takes UTF-8 for another encoding.
    """
    yield csv_lines([columns], bom=bom)
    async for page in pages:
        yield await asyncio.to_thread(_csv_page, columns, page)


def _csv_page(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    return csv_lines([[row.get(column) for column in columns] for row in rows])


async def as_geojson(
    columns: Sequence[str], pages: AsyncIterator[Sequence[Row]], *, head: Row | None = None
) -> AsyncIterator[bytes]:
    """Yield a FeatureCollection (RFC 7946): of each row a feature at its `lat` and `lon`, null without them.

    Args:
        columns: what its properties are; the first one is its id.
        pages: of rows.
        head: further members of the collection.
    """
    yield msgspec.json.encode({"type": "FeatureCollection", **(head or {})})[:-1] + b',"features":['
    separator = b""
    async for page in pages:
        if page:
            yield separator + await asyncio.to_thread(_features, columns, page)
            separator = b","
    yield b"]}"


def _features(columns: Sequence[str], rows: Sequence[Row]) -> bytes:
    return b",".join(msgspec.json.encode(_feature(columns, row)) for row in rows)


def _feature(columns: Sequence[str], row: Row) -> Row:
    lat, lon = row.get("lat"), row.get("lon")
    values = {name: row.get(name) for name in columns if name not in ("lat", "lon")}
    return {
        "type": "Feature",
        "id": row[columns[0]],
        "geometry": None if lat is None or lon is None else {"type": "Point", "coordinates": [lon, lat]},
        "properties": {
            name: rfc3339(value) if isinstance(value, datetime) else value for name, value in values.items()
        },
    }


async def begun(pages: AsyncIterator[list[T]]) -> AsyncIterator[list[T]]:
    """Return the same pages, the first of them read: what fails at once must not be answered with 200."""
    first = await anext(pages, None)

    async def all_of_them() -> AsyncIterator[list[T]]:
        if first is not None:
            yield first
            async for page in pages:
                yield page

    return all_of_them()
