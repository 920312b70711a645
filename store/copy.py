"""numpy columns to PostgreSQL's binary COPY format and back, rows at a time and not value by value.

Fixed-width columns become one structured big-endian array; bytes of NULL values are cut out with one mask.
Texts and JSON are spliced in afterwards. Must not know what the columns mean.
Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.connection import Connection
from store.tables import ColumnType

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_MOST_SHAPES = 8
_MOST_LACKS = 63
_NONE = np.zeros(0, dtype=np.bool_)
_NULL = b"\xff\xff\xff\xff"
_JSONB_VERSION = b"\x01"
_FIXED = {
    ColumnType.INTEGER: ">i4",
    ColumnType.BIGINT: ">i8",
    ColumnType.TIME: ">i8",
    ColumnType.NUMBER: ">f8",
    ColumnType.BOOLEAN: "u1",
}
_POSTGRES_EPOCH = 946_684_800_000_000
"""2000-01-01Z, where PostgreSQL counts from, in microseconds since 1970-01-01Z."""


INFINITY = np.iinfo(np.int64).max
"""The time 'infinity', in microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyColumn:
    """One column to store.

    values: (n,). Times are int64 microseconds since 1970-01-01Z, booleans 0 and 1, texts str, JSON bytes.
    null: (n,) bool, True where the value is NULL; None when no value is. Object columns use None instead.
    """

    name: str
    type: ColumnType
    values: NDArray[Any]
    null: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True)
class _Cells:
    """A column of rows encoded together: n values, None if all are NULL; which are NULL, None if none."""

    type: ColumnType
    values: NDArray[Any] | None
    null: NDArray[np.bool_] | None

    @property
    def loose(self) -> bool:
        """Tell whether the width differs from row to row; a column of NULLs only has none."""
        return self.type not in _FIXED and self.values is not None


def order(columns: Sequence[CopyColumn]) -> list[CopyColumn]:
    """Return the columns as `encode` lays them out: fixed width first. Name them so in COPY."""
    return sorted(columns, key=_is_loose)


def _is_loose(column: CopyColumn) -> bool:
    return column.type not in _FIXED and not _null(column).all()


def encode(columns: Sequence[CopyColumn], rows: int) -> bytes:
    """Return what COPY ... FROM STDIN (FORMAT binary) reads.

    Args:
        columns: in the order of `order`.
        rows: n, the length of every column.
    """
    nulls = [_null(c) for c in columns]
    parts = []
    for some in _alike(nulls, rows):
        cells = [_cells(c, null, some) for c, null in zip(columns, nulls, strict=True)]
        parts.append(_body(cells, len(some)))
    return b"".join((_HEADER, *parts, _TRAILER))


def _alike(nulls: Sequence[NDArray[np.bool_]], rows: int) -> list[NDArray[np.intp]]:
    """Return indexes of rows by which columns they lack.

    Such rows are equally wide, but for texts and JSON where they have any: nothing has to be cut out or
    spliced in. Readings lack values in few combinations; the rare ones form one group. COPY needs no order.
    """
    lacks = [null for null in nulls if 0 < np.count_nonzero(null) < rows][:_MOST_LACKS]
    shape = np.zeros(rows, dtype=np.int64)
    for bit, null in enumerate(lacks):
        shape |= null.astype(np.int64) << bit
    shapes, counts = np.unique(shape, return_counts=True)
    common = shapes[np.argsort(-counts, kind="stable")[:_MOST_SHAPES]]
    alike = [np.flatnonzero(shape == each) for each in common]
    if len(common) < len(shapes):
        alike.append(np.flatnonzero(~np.isin(shape, common)))
    return alike


def _null(column: CopyColumn) -> NDArray[np.bool_]:
    if column.type not in _FIXED:
        lacking: NDArray[np.bool_] = column.values == np.array(None)
        return lacking
    return _NONE if column.null is None else column.null


def _cells(column: CopyColumn, null: NDArray[np.bool_], rows: NDArray[np.intp]) -> _Cells:
    lacking = null[rows] if len(null) else _NONE
    missing = np.count_nonzero(lacking)
    if missing and missing == len(rows):
        return _Cells(column.type, None, None)
    return _Cells(column.type, column.values[rows], lacking if missing else None)


def _body(columns: Sequence[_Cells], rows: int) -> bytes:
    # From the first loose column on, nothing is encoded at a fixed width, even where it is NULL throughout.
    first = next((i for i, c in enumerate(columns) if c.loose), len(columns))
    head, widths = _encode_fixed(columns[:first], rows, len(columns))
    if first == len(columns):
        return head
    ends = np.cumsum(widths).tolist()
    starts = [0, *ends[:-1]]
    spliced = [_encode_loose(c, rows) for c in columns[first:]]
    pieces = []
    for start, end, *values in zip(starts, ends, *spliced, strict=True):
        pieces.append(head[start:end])
        pieces += values
    return b"".join(pieces)


@lru_cache(maxsize=1024)
def _record(present: tuple[ColumnType | None, ...], fields: int) -> tuple[np.dtype[np.void], bytes]:
    """Return how a row with columns of these types is laid out, None being NULL; and one without values."""
    layout = [("fields", ">i2")]
    for i, type_ in enumerate(present):
        layout.append((f"length{i}", ">i4"))
        if type_ is not None:
            layout.append((f"value{i}", _FIXED[type_]))
    dtype = np.dtype(layout)
    blank = np.zeros((), dtype=dtype)
    blank["fields"] = fields
    for i, type_ in enumerate(present):
        blank[f"length{i}"] = -1 if type_ is None else dtype[f"value{i}"].itemsize
    return dtype, blank.tobytes()


def _encode_fixed(columns: Sequence[_Cells], rows: int, fields: int) -> tuple[bytes, NDArray[np.int64]]:
    """Return the fixed-width part of every row, and how wide each row's is."""
    dtype, blank = _record(tuple(None if c.values is None else c.type for c in columns), fields)
    assert dtype.fields is not None
    data = bytearray(blank * rows)
    records = np.frombuffer(data, dtype=dtype)
    widths = np.full(rows, dtype.itemsize, dtype=np.int64)
    keep = None
    for i, column in enumerate(columns):
        if column.values is None:
            continue
        records[f"value{i}"] = _on_the_wire(column.type, column.values)
        if column.null is not None:
            if keep is None:
                keep = np.ones((rows, dtype.itemsize), dtype=np.bool_)
            size, start = dtype[f"value{i}"].itemsize, dtype.fields[f"value{i}"][1]
            records[f"length{i}"][column.null] = -1
            keep[column.null, start : start + size] = False
            widths -= size * column.null
    if keep is None:
        return bytes(data), widths
    return np.frombuffer(data, dtype=np.uint8).reshape(rows, dtype.itemsize)[keep].tobytes(), widths


def _on_the_wire(type_: ColumnType, values: NDArray[Any]) -> NDArray[Any]:
    if type_ is ColumnType.TIME:
        return values - _POSTGRES_EPOCH
    return values == 1 if type_ is ColumnType.BOOLEAN else values


def _encode_loose(column: _Cells, rows: int) -> list[bytes]:
    if column.values is None:
        return [_NULL] * rows
    prefix = _JSONB_VERSION if column.type is ColumnType.JSON else b""
    seen: dict[Any, bytes] = {None: _NULL}
    encoded = []
    for value in column.values.tolist():
        field = seen.get(value)
        if field is None:
            raw = prefix + (value if isinstance(value, bytes) else value.encode())
            field = seen[value] = len(raw).to_bytes(4, "big") + raw
        encoded.append(field)
    return encoded


async def columns_of(
    connection: Connection, query: str, *arguments: object, types: Mapping[str, ColumnType]
) -> dict[str, NDArray[Any]]:
    """Return the answer to a query in columns, (n,) each: as fast as the database can give it.

    Args:
        types: of the query's columns, in their order, all of one width and without NULL. Times are returned
            as microseconds since 1970-01-01Z, INFINITY included.
    """
    received: list[bytes] = []

    async def keep(data: bytes) -> None:
        received.append(data)

    await connection.copy_from_query(query, *arguments, output=keep, format="binary")
    parts = [("fields", ">i2")]
    for name, type_ in types.items():
        parts += [(f"{name} length", ">i4"), (name, _FIXED[type_])]
    row = np.dtype(parts)
    data = b"".join(received)
    count = (len(data) - len(_HEADER) - len(_TRAILER)) // row.itemsize
    rows = np.frombuffer(data, dtype=row, offset=len(_HEADER), count=count)
    return {name: _from_the_wire(type_, rows[name]) for name, type_ in types.items()}


def _from_the_wire(type_: ColumnType, values: NDArray[Any]) -> NDArray[Any]:
    values = values.astype(values.dtype.newbyteorder("="))
    if type_ is ColumnType.TIME:
        values[values != INFINITY] += _POSTGRES_EPOCH
    return values.astype(np.bool_) if type_ is ColumnType.BOOLEAN else values
