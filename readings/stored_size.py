"""How much readings, hours and days of each kind take, since when there are some, when old ones go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from store.connection import Connection
from store.edition import Edition
from store.sizes import TableSize
from store.tables import Resolution, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReadings:
    """The readings of one kind, or their hours or days.

    oldest: where the oldest chunk or partition with rows begins. before_compression, after_compression: bytes
    of the compressed chunks; None where nothing is compressed. next_at: when the database drops old chunks
    next; None: the sweep process does, every half minute.
    """

    kind: str
    resolution: Resolution
    table: str
    rows: int
    bytes: int
    before_compression: int | None
    after_compression: int | None
    oldest: datetime | None
    keep_days: float
    next_at: datetime | None


async def stored_readings(
    connection: Connection, tables: Iterable[Table], edition: Edition, sizes: Mapping[str, TableSize]
) -> list[StoredReadings]:
    """Return how readings and rollups are stored; tables that are not there are left out."""
    found = []
    for table in tables:
        size = sizes.get(table.name)
        if size is None:
            continue
        if edition is Edition.PLAIN:
            found.append(await _plain(connection, table, size))
        else:
            found.append(await _timescale(connection, table))
    return found


# Weeks are named after their first day; an empty one takes no page.
_WEEKS = """
SELECT c.relname
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON i.inhrelid = c.oid
WHERE i.inhparent = to_regclass($1) AND c.relname <> $1 || '_other' AND pg_relation_size(c.oid) > 0
ORDER BY c.relname
LIMIT 1
"""


async def _plain(connection: Connection, table: Table, size: TableSize) -> StoredReadings:
    week: str | None = await connection.fetchval(_WEEKS, table.name)
    return StoredReadings(
        kind=table.kind,
        resolution=table.resolution,
        table=table.name,
        rows=size.rows,
        bytes=size.bytes,
        before_compression=None,
        after_compression=None,
        oldest=None if week is None else datetime.strptime(week[-8:], "%Y%m%d").replace(tzinfo=UTC),
        keep_days=table.retention / timedelta(days=1),
        next_at=None,
    )


_HYPERTABLE = """
SELECT approximate_row_count(to_regclass($1)) AS rows,
    hypertable_size(to_regclass($1)) AS bytes,
    (
        SELECT before_compression_total_bytes FROM hypertable_columnstore_stats(to_regclass($1))
    ) AS before_compression,
    (
        SELECT after_compression_total_bytes FROM hypertable_columnstore_stats(to_regclass($1))
    ) AS after_compression,
    (
        SELECT min(range_start) FROM timescaledb_information.chunks WHERE hypertable_name = $1
    ) AS oldest,
    (
        SELECT extract(EPOCH FROM (config ->> 'drop_after')::interval) / 86400
        FROM timescaledb_information.jobs
        WHERE hypertable_name = $1 AND proc_name = 'policy_retention'
    )::float8 AS keep_days,
    (
        SELECT next_start FROM timescaledb_information.jobs
        WHERE hypertable_name = $1 AND proc_name = 'policy_retention' AND isfinite(next_start)
    ) AS next_at
"""


async def _timescale(connection: Connection, table: Table) -> StoredReadings:
    row = await connection.fetchrow(_HYPERTABLE, table.name)
    assert row is not None
    fields = {**dict(row), "keep_days": row["keep_days"] or table.retention / timedelta(days=1)}
    return StoredReadings(kind=table.kind, resolution=table.resolution, table=table.name, **fields)
