"""Small tables of readings for tests of the store, and rows in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from store.partitions import EPOCH
from store.tables import Column, ColumnType, Table

KEY = (
    Column(name="device_id", type=ColumnType.INTEGER, required=True),
    Column(name="observed_at", type=ColumnType.TIME, required=True),
    Column(name="received_at", type=ColumnType.TIME, required=True),
    Column(name="quality", type=ColumnType.BIGINT, required=True),
    Column(name="boot", type=ColumnType.BIGINT),
    Column(name="seq", type=ColumnType.BIGINT),
)


def a_table(kind: str = "kite", **measurements: ColumnType) -> Table:
    """Return the table of a kind with these measurements."""
    columns = tuple(Column(name=name, type=type_) for name, type_ in measurements.items())
    return Table(kind=kind, columns=(*KEY, *columns, Column(name="extra", type=ColumnType.JSON)))


KITES = a_table(height_m=ColumnType.NUMBER, flying=ColumnType.BOOLEAN, mode=ColumnType.TEXT)

INSERT = """
INSERT INTO kite_reading (device_id, observed_at, received_at, quality, height_m)
SELECT $1, observed_at, observed_at, 0, $3 FROM unnest($2::timestamptz []) AS t (observed_at)
ON CONFLICT (device_id, observed_at) DO NOTHING
RETURNING observed_at
"""


async def insert(
    connection: asyncpg.Connection, times: Sequence[datetime], *, device_id: int = 1, height_m: float = 5.0
) -> list[datetime]:
    """Store readings of a kite, and return the times of those that were new."""
    rows = await connection.fetch(INSERT, device_id, times, height_m)
    return [row["observed_at"] for row in rows]


def microseconds(instant: datetime) -> int:
    """Return the instant as columns have it."""
    return (instant - EPOCH) // timedelta(microseconds=1)
