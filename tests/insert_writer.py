"""Rows of readings into their table without COPY, for the TimescaleDB of the tests, which takes none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.connection import Connection
from store.copy import CopyColumn
from store.readings import Meanwhile, present
from store.tables import ColumnType


class InsertWriter:
    """INSERT ... FROM unnest, for servers without COPY FROM STDIN; at most `chunk` rows a statement."""

    def __init__(self, chunk: int = 500) -> None:
        self._chunk = chunk

    async def append(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[CopyColumn],
        rows: int,
        meanwhile: Meanwhile,
    ) -> None:
        """Store rows that are expected to be new; nothing is done meanwhile."""
        for start in range(0, rows, self._chunk):
            await connection.execute(_insert(table, columns), *_lists(columns, start, start + self._chunk))

    async def merge(
        self, connection: Connection, table: str, columns: Sequence[CopyColumn], rows: int
    ) -> NDArray[np.bool_]:
        """Insert what is not there yet."""
        inserted: set[tuple[int, int]] = set()
        query = (
            f"{_insert(table, columns)} ON CONFLICT (device_id, observed_at) DO NOTHING"
            " RETURNING device_id, (extract(epoch FROM observed_at) * 1000000)::bigint"
        )
        for start in range(0, rows, self._chunk):
            found = await connection.fetch(query, *_lists(columns, start, start + self._chunk))
            inserted |= {(r[0], r[1]) for r in found}
        return present(columns, inserted)


def _insert(table: str, columns: Sequence[CopyColumn]) -> str:
    names, sources, arrays = [], [], []
    for i, column in enumerate(columns, start=1):
        names.append(column.name)
        arrays.append(f"${i}::{_array_type(column.type)} []")
        sources.append(_from_array(column))
    return (
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(sources)}"
        f" FROM unnest({', '.join(arrays)}) AS r ({', '.join(names)})"
    )


def _array_type(type_: ColumnType) -> str:
    return {ColumnType.TIME: "bigint", ColumnType.JSON: "text"}.get(type_, str(type_))


def _from_array(column: CopyColumn) -> str:
    if column.type is ColumnType.TIME:
        return f"'epoch'::timestamptz + r.{column.name} * '1 microsecond'::interval"
    return f"r.{column.name}::jsonb" if column.type is ColumnType.JSON else f"r.{column.name}"


def _lists(columns: Sequence[CopyColumn], start: int, stop: int) -> list[list[Any]]:
    lists = []
    for column in columns:
        values = column.values[start:stop]
        if column.type is ColumnType.BOOLEAN:
            values = values == 1
        items = values.tolist()
        if column.type is ColumnType.JSON:
            items = [None if v is None else v.decode() for v in items]
        if column.null is not None:
            items = [None if n else v for v, n in zip(items, column.null[start:stop], strict=True)]
        lists.append(items)
    return lists
