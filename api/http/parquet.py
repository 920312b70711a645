"""Rows as a Parquet file, as a stream of bytes: one row group after the other, then the footer.

What is held is one page of rows, one row group in Arrow's form and, for each group that was written, a few
hundred bytes that the footer repeats.
Must not know what the rows mean.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from api.http.formats import Row

ROWS_A_GROUP = 50_000
"""Rows in a row group, at least: large enough to compress well, small enough to be held."""


class CellType(StrEnum):
    """What the cells of a column are; where there is nothing it is None."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileColumn:
    """A column of a file. unit: kept beside it in Parquet, empty where it has none."""

    name: str
    type: CellType = CellType.TEXT
    unit: str = ""


def file_columns(names: Sequence[str], **types: Sequence[str]) -> tuple[FileColumn, ...]:
    """Return columns in that order; those that `types` names, by type (time=["opened_at"]), else texts."""
    known = {name: CellType(kind) for kind, of_it in types.items() for name in of_it}
    return tuple(FileColumn(name=name, type=known.get(name, CellType.TEXT)) for name in names)


async def as_parquet(
    columns: Sequence[FileColumn],
    pages: AsyncIterator[Sequence[Row]],
    *,
    rows_a_group: int = ROWS_A_GROUP,
) -> AsyncIterator[bytes]:
    """Yield a Parquet file of these columns; instants are UTC with microseconds, JSON is text."""
    # Not above: whoever writes no Parquet starts without it.
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([_field(column) for column in columns])
    sink = _Drained()
    group: list[pa.RecordBatch] = []
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        async for page in pages:
            if page:
                group.append(await asyncio.to_thread(_batch, columns, schema, page))
            if sum(batch.num_rows for batch in group) >= rows_a_group:
                await asyncio.to_thread(_write, writer, group)
                group = []
                yield sink.drain()
        if group:
            await asyncio.to_thread(_write, writer, group)
    yield sink.drain()


class _Drained(io.RawIOBase):
    """A file that is only written to; what was written is taken out and forgotten."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        piece = bytes(data)
        self._written.append(piece)
        self._position += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._position

    def drain(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken

    def close(self) -> None:
        """Keep what is to be drained yet."""


def _field(column: FileColumn) -> pa.Field:
    import pyarrow as pa

    types = {
        CellType.TEXT: pa.string(),
        CellType.INTEGER: pa.int64(),
        CellType.NUMBER: pa.float64(),
        CellType.BOOLEAN: pa.bool_(),
        CellType.TIME: pa.timestamp("us", tz="UTC"),
        CellType.JSON: pa.string(),
    }
    metadata = {"unit": column.unit} if column.unit else None
    return pa.field(column.name, types[column.type], metadata=metadata)


def _batch(columns: Sequence[FileColumn], schema: pa.Schema, rows: Sequence[Row]) -> pa.RecordBatch:
    import pyarrow as pa

    cells = [
        pa.array(_cells(column, rows), type=field.type) for column, field in zip(columns, schema, strict=True)
    ]
    return pa.record_batch(cells, schema=schema)


def _write(writer: pq.ParquetWriter, group: Sequence[pa.RecordBatch]) -> None:
    import pyarrow as pa

    table = pa.Table.from_batches(group)
    writer.write_table(table, row_group_size=table.num_rows)


def _cells(column: FileColumn, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    values = [row.get(column.name) for row in rows]
    match column.type:
        case CellType.TIME:
            return [_instant(value) for value in values]
        case CellType.JSON:
            return [None if value is None else msgspec.json.encode(value).decode() for value in values]
        case CellType.TEXT:
            return [None if value is None else str(value) for value in values]
        case CellType.INTEGER | CellType.NUMBER | CellType.BOOLEAN:
            return values


def _instant(value: Any) -> Any:
    return msgspec.convert(value, datetime) if isinstance(value, str) else value
