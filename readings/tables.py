"""What the store needs to know of a kind: its tables of readings and rollups as plain columns.

The only place, beside kept/columns.py, where declarations become SQL types. Must not know migrations or
partitions.
"""

from __future__ import annotations

from collections.abc import Iterable

from devices.kinds.kind import Kind, ValueType
from readings.kept.retention import KEPT, Retention
from readings.kept.tables import days_of, hours_of
from store.tables import Column, ColumnType, Resolution, Table

BEFORE = (
    Column(name="device_id", type=ColumnType.INTEGER, required=True),
    Column(name="observed_at", type=ColumnType.TIME, required=True),
    Column(name="received_at", type=ColumnType.TIME, required=True),
    Column(name="quality", type=ColumnType.BIGINT, required=True),
    Column(name="boot", type=ColumnType.BIGINT),
    Column(name="seq", type=ColumnType.BIGINT),
)
AFTER = (Column(name="extra", type=ColumnType.JSON),)

TYPES = {
    ValueType.NUMBER: ColumnType.NUMBER,
    ValueType.BOOLEAN: ColumnType.BOOLEAN,
    ValueType.TEXT: ColumnType.TEXT,
}


def table_name(kind: str) -> str:
    """Return the name of the table that holds a kind's readings; nothing in it needs quotes."""
    return Table(kind=kind, columns=()).name


def table_of(kind: Kind, kept: Retention = KEPT) -> Table:
    """Return the table that holds the readings of a kind."""
    measurements = tuple(
        Column(name=m.name, type=TYPES[m.type], counter_bit=m.bit if m.counter else None)
        for m in kind.measurements
    )
    retention = kept.of(kind.name, Resolution.READING)
    return Table(
        kind=kind.name,
        columns=(*BEFORE, *measurements, *AFTER),
        retention=retention,
        reach=retention,
        chunk=kept.chunk,
    )


def tables_of(kinds: Iterable[Kind], kept: Retention = KEPT) -> list[Table]:
    """Return the tables of several kinds in the order given, each with its rollups."""
    found = []
    for kind in kinds:
        reach = kept.of(kind.name, Resolution.READING)
        hours = hours_of(kind, kept.of(kind.name, Resolution.HOUR), reach)
        found += [table_of(kind, kept), hours, days_of(kind, kept.of(kind.name, Resolution.DAY), reach)]
    return found
