"""Tables of readings as plain column lists, and their DDL in both editions.

Pure. Knows no kind: readings/tables.py makes these lists from declarations. All names and types come from
declarations whose grammar admits no quoting (a-z, 0-9, _), which `Table` checks again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from store.edition import Edition

RETENTION = timedelta(days=90)
"""How long readings are kept when nobody said otherwise."""
CHUNK = timedelta(days=1)
COMPRESS_AFTER = timedelta(days=14)
"""Devices resend backlogs of days; compressing later keeps late rows out of compressed chunks."""

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,47}")


class ColumnType(StrEnum):
    """The types a reading's column can have, as PostgreSQL spells them."""

    INTEGER = "integer"
    BIGINT = "bigint"
    NUMBER = "double precision"
    BOOLEAN = "boolean"
    TEXT = "text"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Readings of one kind: unique by (device_id, observed_at), split by observed_at."""

    kind: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if not IDENTIFIER.fullmatch(self.kind):
            raise ValueError(f"{self.kind!r} is no table name")

    @property
    def name(self) -> str:
        """Name of the table; its view is v_{kind}."""
        return f"{self.kind}_reading"

    def column(self, name: str) -> Column | None:
        """Return the column called `name`, if there is one."""
        return next((column for column in self.columns if column.name == name), None)


def create(table: Table, edition: Edition, retention: timedelta = RETENTION) -> list[str]:
    """Return the statements that create the table, without partitions."""
    columns = ",\n    ".join(column.sql for column in table.columns)
    body = f"CREATE TABLE {table.name} (\n    {columns},\n    UNIQUE (device_id, observed_at)\n)"
    if edition is Edition.PLAIN:
        return [
            f"{body} PARTITION BY RANGE (observed_at)",
            f"CREATE TABLE {table.name}_other PARTITION OF {table.name} DEFAULT",
        ]
    return [
        body,
        (
            f"SELECT create_hypertable('{table.name}', by_range('observed_at', {_interval(CHUNK)}),"
            " create_default_indexes => false)"
        ),
        (
            f"ALTER TABLE {table.name} SET (timescaledb.enable_columnstore,"
            " timescaledb.segmentby = 'device_id', timescaledb.orderby = 'observed_at')"
        ),
        f"CALL add_columnstore_policy('{table.name}', after => {_interval(COMPRESS_AFTER)})",
        f"SELECT add_retention_policy('{table.name}', drop_after => {_interval(retention)})",
    ]


def add_column(table: Table, column: Column) -> str:
    """Return the statement that adds a column; old rows have NULL in it."""
    return f"ALTER TABLE {table.name} ADD COLUMN {column.name} {column.type}"


def _interval(length: timedelta) -> str:
    return f"INTERVAL '{int(length.total_seconds())} seconds'"
