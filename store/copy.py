"""numpy columns to PostgreSQL's binary COPY format, rows at a time and not value by value.

Fixed-width columns become one structured big-endian array; bytes of NULL values are cut out with one mask.
Texts and JSON are spliced in afterwards. Must not know what the columns mean.
Format: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def order(columns: Sequence[CopyColumn]) -> list[CopyColumn]:
    """Return the columns as `encode` lays them out: fixed width first. Name them so in COPY."""
    return sorted(columns, key=_is_loose)


def _is_loose(column: CopyColumn) -> bool:
    """Tell whether the width differs from row to row; a column of NULLs only has none."""
    return column.type not in _FIXED and not _null(column).all()


def encode(columns: Sequence[CopyColumn], rows: int) -> bytes:
    """Return what COPY ... FROM STDIN (FORMAT binary) reads.

    Args:
        columns: in the order of `order`.
        rows: n, the length of every column.
    """
    alike = _alike(columns, rows)
    if len(alike) == 1:
        parts = [_body(columns, rows)]
    else:
        parts = [_body([_part(c, some) for c in columns], len(some)) for some in alike]
    return b"".join((_HEADER, *parts, _TRAILER))


def _alike(columns: Sequence[CopyColumn], rows: int) -> list[NDArray[np.intp]]:
    """Return indexes of rows by which columns they lack.

    Such rows are equally wide, but for texts and JSON where they have any: nothing has to be cut out or
    spliced in. What devices send has few shapes; the rare ones go together. Order means nothing to COPY.
    """
    lacks = [null for c in columns if 0 < np.count_nonzero(null := _null(c)) < rows][:_MOST_LACKS]
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


def _part(column: CopyColumn, rows: NDArray[np.intp]) -> CopyColumn:
    null = None if column.null is None else column.null[rows]
    return replace(column, values=column.values[rows], null=null)


def _body(columns: Sequence[CopyColumn], rows: int) -> bytes:
    # What follows the first loose column is no fixed width either, though here it may be NULL throughout.
    first = next((i for i, c in enumerate(columns) if _is_loose(c)), len(columns))
    fixed, loose = columns[:first], columns[first:]
    head, ends = _encode_fixed(fixed, rows, len(columns))
    if not loose:
        return head
    spliced = [_encode_loose(c) for c in loose]
    starts = [0, *ends[:-1]]
    pieces = []
    for start, end, *values in zip(starts, ends, *spliced, strict=True):
        pieces.append(head[start:end])
        pieces += values
    return b"".join(pieces)


def _encode_fixed(columns: Sequence[CopyColumn], rows: int, fields: int) -> tuple[bytes, list[int]]:
    """Return the fixed-width part of every row, and where each row's part ends."""
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for i, column in enumerate(columns):
        layout.append((f"length{i}", ">i4"))
        if column.type in _FIXED and (column.null is None or not column.null.all()):
            layout.append((f"value{i}", _FIXED[column.type]))
    dtype = np.dtype(layout)
    records = np.zeros(rows, dtype=dtype)
    records["fields"] = fields
    width = np.full(rows, dtype.itemsize, dtype=np.int64)
    cut: list[tuple[int, int, NDArray[np.bool_]]] = []
    for i, column in enumerate(columns):
        if f"value{i}" not in (dtype.names or ()):
            records[f"length{i}"] = -1
            continue
        size = dtype[f"value{i}"].itemsize
        records[f"length{i}"] = size if column.null is None else np.where(column.null, -1, size)
        records[f"value{i}"] = _on_the_wire(column)
        if column.null is not None and column.null.any():
            assert dtype.fields is not None
            start = dtype.fields[f"value{i}"][1]
            cut.append((start, start + size, column.null))
            width -= size * column.null
    ends = np.cumsum(width).tolist()
    if not cut:
        return records.tobytes(), ends
    keep = np.ones((rows, dtype.itemsize), dtype=np.bool_)
    for start, end, null in cut:
        keep[null, start:end] = False
    return records.view(np.uint8).reshape(rows, dtype.itemsize)[keep].tobytes(), ends


def _on_the_wire(column: CopyColumn) -> NDArray[Any]:
    values: NDArray[Any] = column.values
    if column.type is ColumnType.TIME:
        values = values - _POSTGRES_EPOCH
    elif column.type is ColumnType.BOOLEAN:
        values = values == 1
    return values


def _encode_loose(column: CopyColumn) -> list[bytes]:
    prefix = _JSONB_VERSION if column.type is ColumnType.JSON else b""
    seen: dict[Any, bytes] = {None: _NULL}
    encoded = []
    for value in column.values:
        field = seen.get(value)
        if field is None:
            raw = prefix + (value if isinstance(value, bytes) else value.encode())
            field = seen[value] = len(raw).to_bytes(4, "big") + raw
        encoded.append(field)
    return encoded
