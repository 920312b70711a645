"""Tables of readings and of their rollups as plain column lists, and their DDL in both editions.

Pure. Knows no kind: readings makes these lists from declarations. All names and types come from
declarations whose grammar admits no quoting (a-z, 0-9, _), which `Table` checks again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from store.edition import Edition

CHUNK = timedelta(days=1)
"""How much time a chunk of readings spans when nobody said how many there will be."""

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,47}")


class ColumnType(StrEnum):
    """The types a reading's column can have, as PostgreSQL spells them."""

    INTEGER = "integer"
    BIGINT = "bigint"
    NUMBER = "double precision"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    TIME = "timestamp with time zone"
    JSON = "jsonb"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; nullable unless `required`. `counter_bit`: of a counter, the bit of `quality` of it."""

    name: str
    type: ColumnType
    required: bool = False
    counter_bit: int | None = None

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is no column name")

    @property
    def sql(self) -> str:
        """The column as CREATE TABLE and ADD COLUMN want it."""
        return f"{self.name} {self.type}{' NOT NULL' if self.required else ''}"


class Resolution(StrEnum):
    """What a row of a table stands for: one reading, or all of one device's hour or local day."""

    READING = "reading"
    HOUR = "hour"
    DAY = "day"


RETENTION = {
    Resolution.READING: timedelta(days=90),
    Resolution.HOUR: timedelta(days=731),
    Resolution.DAY: timedelta(days=3653),
}
"""How long rows are kept when nobody said otherwise."""
COMPRESS_AFTER = {
    Resolution.READING: timedelta(days=14),
    Resolution.HOUR: timedelta(days=56),
    Resolution.DAY: timedelta(days=728),
}
"""Devices resend backlogs of days; compressing later keeps late rows out of compressed chunks."""
ROLLUP_CHUNK = timedelta(days=364)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One column of a table's view: `expression` over the table r; it stands where `column` is stored."""

    name: str
    expression: str
    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of one kind's devices: unique by (device_id, instant), split by the instant.

    reach: how far behind the present a new row can lie: the retention of readings, also for their rollups.
    shown: what the view of a rollup shows.
    """

    kind: str
    columns: tuple[Column, ...]
    resolution: Resolution = Resolution.READING
    retention: timedelta = RETENTION[Resolution.READING]
    reach: timedelta = RETENTION[Resolution.READING]
    chunk: timedelta = CHUNK
    shown: tuple[Shown, ...] = ()

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.kind):
            raise ValueError(f"{self.kind!r} is no table name")

    @property
    def name(self) -> str:
        """Name of the table; the view of readings is v_{kind}, that of others v_{name}."""
        return f"{self.kind}_{self.resolution}"

    @property
    def instant(self) -> str:
        """Name of the column that the table is split by."""
        return "observed_at" if self.resolution is Resolution.READING else "at"

    def column(self, name: str) -> Column | None:
        """Return the column called `name`, if there is one."""
        return next((column for column in self.columns if column.name == name), None)


def create(table: Table, edition: Edition) -> list[str]:
    """Return the statements that create the table, without partitions."""
    columns = ",\n    ".join(column.sql for column in table.columns)
    body = f"CREATE TABLE {table.name} (\n    {columns},\n    UNIQUE (device_id, {table.instant})\n)"
    if edition is Edition.PLAIN:
        return [
            f"{body} PARTITION BY RANGE ({table.instant})",
            f"CREATE TABLE {table.name}_other PARTITION OF {table.name} DEFAULT",
        ]
    return [
        body,
        (
            f"SELECT create_hypertable('{table.name}', by_range('{table.instant}', {interval(table.chunk)}),"
            " create_default_indexes => false)"
        ),
        (
            f"ALTER TABLE {table.name} SET (timescaledb.enable_columnstore,"
            f" timescaledb.segmentby = 'device_id', timescaledb.orderby = '{table.instant}')"
        ),
        (
            f"CALL add_columnstore_policy('{table.name}',"
            f" after => {interval(COMPRESS_AFTER[table.resolution])})"
        ),
        f"SELECT add_retention_policy('{table.name}', drop_after => {interval(table.retention)})",
    ]


def add_column(table: Table, column: Column) -> str:
    """Return the statement that adds a column; old rows have NULL in it."""
    return f"ALTER TABLE {table.name} ADD COLUMN {column.name} {column.type}"


def interval(length: timedelta) -> str:
    """Return a length as SQL writes it."""
    return f"INTERVAL '{int(length.total_seconds())} seconds'"
