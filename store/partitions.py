"""Partitions of the plain edition: made ahead of the rows, dropped behind the retention window.

TimescaleDB does both itself. A partition holds a week of readings, a quarter of hours, a year of days: each
a whole number of weeks from one Monday on.

Weeks and not days: three kinds need 45 tables instead of 279 (a first migrate took 0.3 s instead of 1.2 s),
and queries over all time stay fast; but rows are kept up to a partition longer than asked.

Every table also has a default partition, `{table}_other`. A row whose week has no partition (no sweep ran for
days, or a clock jumped) must not fail the batch it is in; it is stored there. When its week is made, its rows
move to it in the same transaction, with writers of the default partition held off, so that attaching always
succeeds and the unique key holds throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg

from store.connection import Connection
from store.tables import Resolution, Table

WEEK = timedelta(days=7)
LENGTHS = {Resolution.READING: WEEK, Resolution.HOUR: 13 * WEEK, Resolution.DAY: 52 * WEEK}
AHEAD = timedelta(days=2)
MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"
"""Waiting for a lock blocks the writers that come after: so not for long, and again at the next turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One stretch of one table."""

    table: Table
    start: datetime

    @property
    def name(self) -> str:
        """`{table}_{first day}`, which is how an existing one is recognised."""
        return f"{self.table.name}_{self.start:%Y%m%d}"

    @property
    def end(self) -> datetime:
        """First instant of the next one."""
        return self.start + LENGTHS[self.table.resolution]


def wanted(table: Table, now: int) -> list[Partition]:
    """Return the partitions that must exist at `now` (microseconds), oldest first."""
    instant = EPOCH + timedelta(microseconds=now)
    start = _start(table, instant - min(table.reach, table.retention))
    length = LENGTHS[table.resolution]
    number = (_start(table, instant + AHEAD) - start) // length + 1
    return [Partition(table=table, start=start + n * length) for n in range(number)]


def _start(table: Table, instant: datetime) -> datetime:
    return instant - (instant - MONDAY) % LENGTHS[table.resolution]


def statements(partition: Partition) -> list[str]:
    """Return the SQL that makes a partition beside running writers and takes over its rows.

    The new table is attached and not created in place: that locks the parent against other DDL only.
    """
    table, name, instant = partition.table.name, partition.name, partition.table.instant
    low, high = f"'{partition.start.isoformat()}'", f"'{partition.end.isoformat()}'"
    inside = f"{instant} >= {low} AND {instant} < {high}"
    return [
        f"LOCK TABLE ONLY {table} IN SHARE UPDATE EXCLUSIVE MODE",
        f"LOCK TABLE {table}_other IN ACCESS EXCLUSIVE MODE",
        f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
        f"INSERT INTO {name} SELECT * FROM {table}_other WHERE {inside}",  # noqa: S608 - checked names
        f"DELETE FROM {table}_other WHERE {inside}",  # noqa: S608
        f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({low}) TO ({high})",
    ]


EXISTING = """
SELECT c.relname
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON i.inhrelid = c.oid
WHERE i.inhparent = to_regclass($1)
"""


async def existing(connection: Connection, table: str) -> set[str]:
    """Return the names of a table's partitions, the default one included."""
    return {row["relname"] for row in await connection.fetch(EXISTING, table)}


async def missing(connection: Connection, tables: Iterable[Table], now: int) -> list[Partition]:
    """Return the partitions that must exist at `now` and do not."""
    found: list[Partition] = []
    for table in tables:
        there = await existing(connection, table.name)
        found += [p for p in wanted(table, now) if p.name not in there]
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionChanges:
    """What one turn did, by partition name; `postponed` met a lock and is for the next turn."""

    made: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    postponed: tuple[str, ...] = ()


async def keep_partitions(connection: Connection, tables: Sequence[Table], now: int) -> PartitionChanges:
    """Make the partitions that `now` (microseconds) asks for and drop those past their table's retention.

    For the plain edition; called by migrate and by housekeeping. Repeating it does nothing.
    """
    made = {p.name: statements(p) for p in await missing(connection, tables, now)}
    dropped: dict[str, list[str]] = {}
    for table in tables:
        names = expired(table, await existing(connection, table.name), now)
        # A concurrent detach would leave writers alone, but PostgreSQL refuses it beside a default partition.
        dropped |= {name: [f"DROP TABLE {name}"] for name in names}
    postponed = {name for name, sql in (made | dropped).items() if not await _attempt(connection, sql)}
    for table in tables:
        await connection.execute(
            f"DELETE FROM {table.name}_other WHERE {table.instant} < $1",  # noqa: S608 - checked names
            EPOCH + timedelta(microseconds=now) - table.retention - LENGTHS[table.resolution],
        )
    return PartitionChanges(
        made=tuple(name for name in made if name not in postponed),
        dropped=tuple(name for name in dropped if name not in postponed),
        postponed=tuple(sorted(postponed)),
    )


async def _attempt(connection: Connection, sql: Sequence[str]) -> bool:
    """Run statements in one short transaction; return False if a lock was held by others.

    A partition that another process makes or drops at the same time is done: the next turn finds it so.
    """
    try:
        async with connection.transaction():
            await connection.execute(";\n".join([LOCK_TIMEOUT, *sql]))
    except (
        asyncpg.LockNotAvailableError,
        asyncpg.DuplicateTableError,
        asyncpg.UniqueViolationError,
        asyncpg.UndefinedTableError,
    ):
        return False
    return True


def expired(table: Table, names: Iterable[str], now: int) -> list[str]:
    """Return those of a table's partitions in which every row is older than the retention window."""
    oldest = _start(table, EPOCH + timedelta(microseconds=now) - table.retention)
    kept_from = Partition(table=table, start=oldest).name
    dated = (name for name in names if name != f"{table.name}_other")
    return sorted(name for name in dated if name < kept_from)  # names of one length sort by their day
