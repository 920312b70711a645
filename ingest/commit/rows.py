"""Columns of readings as columns of their table. Pure; the names agree with readings.tables."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import MISSING, Columns
from devices.kinds.kind import Measurement, ValueType
from readings.tables import TYPES
from store.copy import CopyColumn
from store.tables import ColumnType


def copy_columns(columns: Columns) -> list[CopyColumn]:
    """Return every column of the kind's table, NULL where a value is absent."""
    return [
        CopyColumn(name="device_id", type=ColumnType.INTEGER, values=columns.device_id),
        CopyColumn(name="observed_at", type=ColumnType.TIME, values=columns.observed_at),
        CopyColumn(name="received_at", type=ColumnType.TIME, values=columns.received_at),
        CopyColumn(name="quality", type=ColumnType.BIGINT, values=columns.quality),
        _counter("boot", columns.boot),
        _counter("seq", columns.seq),
        *(_measurement(m, columns.values[m.name]) for m in columns.kind.measurements),
        CopyColumn(name="extra", type=ColumnType.JSON, values=columns.extra),
    ]


def _counter(name: str, values: NDArray[np.int64]) -> CopyColumn:
    return CopyColumn(name=name, type=ColumnType.BIGINT, values=values, null=values == MISSING)


def _measurement(measurement: Measurement, values: NDArray[Any]) -> CopyColumn:
    type_ = TYPES[measurement.type]
    if measurement.type is ValueType.TEXT:
        return CopyColumn(name=measurement.name, type=type_, values=values)
    return CopyColumn(name=measurement.name, type=type_, values=values, null=np.isnan(values))
