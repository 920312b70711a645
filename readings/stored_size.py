"""How much the readings of each kind take, since when there are some, and when old ones are dropped next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from devices.kinds.kind import Kind
from readings.tables import table_name
from store.connection import Connection
from store.edition import Edition
from store.sizes import TableSize


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReadings:
    """The readings of one kind.

    oldest: where the oldest chunk or week with readings begins. before_compression, after_compression: bytes
    of the compressed chunks; None where nothing is compressed. next_at: when the database drops old chunks
    next; None: the sweep process does, every half minute.
    """

    kind: str
    table: str
    rows: int
    bytes: int
    before_compression: int | None
    after_compression: int | None
    oldest: datetime | None
    keep_days: float
    next_at: datetime | None


async def stored_readings(
    connection: Connection,
    kinds: Iterable[Kind],
    edition: Edition,
    sizes: Mapping[str, TableSize],
    retention: timedelta,
) -> list[StoredReadings]:
    """Return how the readings of each kind are stored; kinds without a table are left out."""
    found = []
    for kind in kinds:
        size = sizes.get(table_name(kind.name))
        if size is None:
            continue
        if edition is Edition.PLAIN:
            found.append(await _plain(connection, kind.name, size, retention))
        else:
            found.append(await _timescale(connection, kind.name, size, retention))
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


async def _plain(connection: Connection, kind: str, size: TableSize, retention: timedelta) -> StoredReadings:
    week: str | None = await connection.fetchval(_WEEKS, size.table)
    return StoredReadings(
        kind=kind,
        table=size.table,
        rows=size.rows,
        bytes=size.bytes,
        before_compression=None,
        after_compression=None,
        oldest=None if week is None else datetime.strptime(week[-8:], "%Y%m%d").replace(tzinfo=UTC),
        keep_days=retention / timedelta(days=1),
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


async def _timescale(
    connection: Connection, kind: str, size: TableSize, retention: timedelta
) -> StoredReadings:
    row = await connection.fetchrow(_HYPERTABLE, size.table)
    assert row is not None
    fields = {**dict(row), "keep_days": row["keep_days"] or retention / timedelta(days=1)}
    return StoredReadings(kind=kind, table=size.table, **fields)
