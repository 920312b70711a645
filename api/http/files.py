"""Rows as the bytes of a file, whichever format it has, and the columns that readings have in one.

Must not know HTTP, so that commands write files without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import assert_never

from api.http import formats
from api.http.formats import Format, Row
from api.http.parquet import CellType, FileColumn, as_parquet, file_columns
from devices.kinds.kind import Kind

READING = file_columns(
    ("observed_at", "received_at", "quality", "suspect"),
    time=("observed_at", "received_at"),
    integer=("quality",),
)
"""What every reading has before its measurements, in a table."""
BESIDE = file_columns(("boot", "seq", "extra"), integer=("boot", "seq"), json=("extra",))
"""What a table for programs has behind them; spreadsheets would only be wider by it."""


def readings_body(
    form: Format, kind: Kind, pages: AsyncIterator[Sequence[Row]], *, bom: bool = False
) -> AsyncIterator[bytes]:
    """Return readings of many devices (readings.stored.export) as the bytes of a file; see body_of."""
    if form is Format.NDJSON:
        names = [m.name for m in kind.measurements]
        return formats.as_ndjson(_flattened(pages, lambda row: _nested(row, names)))
    columns = (FileColumn(name="device"), *READING, *measured(kind), *BESIDE)
    return body_of(form, columns, pages, bom=bom)


def _nested(row: Row, measurements: Sequence[str]) -> Row:
    """Return a reading as the API shows those of one device: what it has not is left out."""
    known = {name: row[name] for name in ("device", "observed_at", "received_at", "quality")}
    values = {name: row[name] for name in measurements if row[name] is not None}
    beside = {name: row[name] for name in ("boot", "seq", "extra") if row[name] is not None}
    return {**known, "suspect": row["suspect"].split(), "measurements": values, **beside}


def measured(kind: Kind, names: Sequence[str] | None = None) -> tuple[FileColumn, ...]:
    """Return a column for each measurement of a kind, or for those named, with its unit."""
    wanted = [m.name for m in kind.measurements] if names is None else names
    declared = [kind.measurement(name) for name in wanted]
    return tuple(FileColumn(name=m.name, type=CellType(m.type), unit=m.unit) for m in declared)


Flatten = Callable[[Row], Row]


def body_of(
    form: Format,
    columns: Sequence[FileColumn],
    pages: AsyncIterator[Sequence[Row]],
    *,
    flat: Flatten | None = None,
    bom: bool = False,
    head: Row | None = None,
) -> AsyncIterator[bytes]:
    """Return rows as the bytes of a file: the one way in which all lists leave.

    Args:
        form: CSV, NDJSON, Parquet or GeoJSON.
        columns: of all but NDJSON, in this order.
        pages: of rows, as NDJSON has them.
        flat: what makes of one such row what a table has; None: it is one.
        bom: see formats.as_csv.
        head: see formats.as_geojson.
    """
    names = [column.name for column in columns]
    match form:
        case Format.NDJSON:
            return formats.as_ndjson(pages)
        case Format.CSV:
            return formats.as_csv(names, _flattened(pages, flat), bom=bom)
        case Format.PARQUET:
            return as_parquet(columns, _flattened(pages, flat))
        case Format.GEOJSON:
            return formats.as_geojson(names, _flattened(pages, flat), head=head)
        case Format.JSON:
            raise ValueError("a list as JSON is no file")
        case _:
            assert_never(form)


async def _flattened(
    pages: AsyncIterator[Sequence[Row]], flat: Flatten | None
) -> AsyncIterator[Sequence[Row]]:
    async for page in pages:
        yield page if flat is None else await asyncio.to_thread(list, map(flat, page))
