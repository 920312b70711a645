"""What is written by binary COPY is what a real server reads back, whatever columns rows lack."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import numpy as np
import pytest
from numpy.random import Generator

from store.copy import CopyColumn
from store.readings import CopyWriter
from store.tables import ColumnType

_TABLE = """
CREATE TEMP TABLE copied (
    id integer, at timestamptz, a double precision, b double precision, c boolean, d bigint, e text, f jsonb
)
"""
_READ = "SELECT id, extract(epoch FROM at)::bigint AS at, a, b, c, d, e, f::text AS f FROM copied ORDER BY id"


def columns(random: Generator, rows: int, lacking: float) -> list[CopyColumn]:
    """Return random columns of the table in which each value is NULL with the given chance."""

    def null() -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return random.random(rows) < lacking

    def objects(values: list[Any]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        column = np.full(rows, None, dtype=object)
        for i in np.flatnonzero(~null()):
            column[i] = values[i]
        return column

    number = ColumnType.NUMBER
    return [
        CopyColumn(name="id", type=ColumnType.INTEGER, values=np.arange(rows, dtype=np.int32)),
        CopyColumn(name="at", type=ColumnType.TIME, values=np.arange(rows) * 1_000_000),
        CopyColumn(name="a", type=number, values=random.normal(size=rows), null=null()),
        CopyColumn(name="b", type=number, values=random.normal(size=rows), null=null()),
        CopyColumn(name="c", type=ColumnType.BOOLEAN, values=random.integers(0, 2, rows), null=null()),
        CopyColumn(name="d", type=ColumnType.BIGINT, values=random.integers(0, 9, rows), null=null()),
        CopyColumn(name="e", type=ColumnType.TEXT, values=objects([f"نبض {i}" for i in range(rows)])),
        CopyColumn(name="f", type=ColumnType.JSON, values=objects([b'{"i": %d}' % i for i in range(rows)])),
    ]


def said(column: CopyColumn, row: int) -> object:
    """Return what the server should say of a value."""
    value = column.values[row]
    if value is None or (column.null is not None and column.null[row]):
        return None
    match column.type:
        case ColumnType.TIME:
            return int(value) // 1_000_000
        case ColumnType.BOOLEAN:
            return bool(value)
        case ColumnType.JSON:
            return json.dumps(json.loads(value))
        case _:
            return value


@pytest.mark.parametrize(
    ("rows", "lacking"), [(0, 0.0), (1, 0.0), (1, 1.0), (50, 0.0), (50, 1.0), (400, 0.4)]
)
async def test_every_row_is_read_back_as_it_was_written(
    connection: asyncpg.Connection, rows: int, lacking: float
) -> None:
    await connection.execute(_TABLE)
    written = columns(np.random.default_rng(5), rows, lacking)

    await CopyWriter().append(connection, "copied", written, rows, iter(()))

    read = [tuple(row) for row in await connection.fetch(_READ)]
    assert read == [tuple(said(column, row) for column in written) for row in range(rows)]
