"""What is stored under the keys of rows: as it lies there, and as columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import ValueType
from readings.tables import table_of
from store import readings
from store.connection import Connection

Row = dict[str, Any]


async def stored_rows(
    connection: Connection, columns: Columns, at: NDArray[np.int64], rows: NDArray[Any]
) -> dict[int, Row | None]:
    """Return what is stored of some rows' devices at instants (len(columns),), None where nothing is."""
    if not len(rows):
        return {}
    names = [*(m.name for m in columns.kind.measurements), "extra", "boot", "seq", "quality"]
    ids, observed = columns.device_id[rows].tolist(), at[rows].tolist()
    found = await readings.stored(connection, table_of(columns.kind).name, names, ids, observed)
    keys = zip(ids, observed, strict=True)
    return {row: found.get(key) for row, key in zip(rows.tolist(), keys, strict=True)}


def as_columns(columns: Columns, stored: Sequence[Row]) -> Columns:
    """Return the columns, n rows, with what is stored of each in place of what it says."""
    values: dict[str, NDArray[Any]] = {}
    for m in columns.kind.measurements:
        type_ = object if m.type is ValueType.TEXT else np.float64
        values[m.name] = np.array([row[m.name] for row in stored], dtype=type_)
    extra = np.full(len(stored), None, dtype=object)
    for i, row in enumerate(stored):
        if row["extra"] is not None:
            extra[i] = msgspec.json.encode(row["extra"])
    quality = np.array([row["quality"] for row in stored], dtype=np.int64)
    return replace(columns, values=values, extra=extra, quality=quality)
