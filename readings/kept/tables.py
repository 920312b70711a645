"""The tables of rollups: {kind}_hour and {kind}_day, generated from what a kind declares."""

from __future__ import annotations

from datetime import timedelta

from devices.kinds.kind import Kind
from readings.kept.columns import columns_of, shown_of
from store.tables import RETENTION, ROLLUP_CHUNK, Column, ColumnType, Resolution, Table

KEY = (
    Column(name="device_id", type=ColumnType.INTEGER, required=True),
    Column(name="at", type=ColumnType.TIME, required=True),
)
"""`at` is when the hour of UTC, or the municipality's local day, begins."""
COUNTED = (
    Column(name="readings", type=ColumnType.INTEGER, required=True),
    Column(name="expected", type=ColumnType.NUMBER, required=True),
)
DATE = Column(name="day", type=ColumnType.DATE, required=True)


def hours_of(
    kind: Kind,
    retention: timedelta = RETENTION[Resolution.HOUR],
    reach: timedelta = RETENTION[Resolution.READING],
) -> Table:
    """Return the table of a kind's hours; `reach` is how long its readings are kept."""
    return Table(
        kind=kind.name,
        columns=(*KEY, *COUNTED, *columns_of(kind)),
        resolution=Resolution.HOUR,
        retention=retention,
        reach=reach,
        chunk=ROLLUP_CHUNK / 13,
        shown=shown_of(kind),
    )


def days_of(
    kind: Kind,
    retention: timedelta = RETENTION[Resolution.DAY],
    reach: timedelta = RETENTION[Resolution.READING],
) -> Table:
    """Return the table of a kind's local days; `reach` is how long its readings are kept."""
    return Table(
        kind=kind.name,
        columns=(*KEY, DATE, *COUNTED, *columns_of(kind)),
        resolution=Resolution.DAY,
        retention=retention,
        reach=reach,
        chunk=ROLLUP_CHUNK,
        shown=shown_of(kind),
    )
