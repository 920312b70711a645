"""How much readings and rollups take, since when there are some, and when old ones are dropped next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from store.connection import Connection
from store.edition import Edition
from store.standing.sizes import TableSize
from store.tables import Resolution, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReadings:
    """The readings of one kind, or their hours or days.

    oldest: where the oldest chunk or partition with rows begins. before_compression, after_compression: bytes
    of the compressed chunks; None where nothing is compressed. next_at: when the database drops old chunks
    next; None: the sweep process does, every half minute. made_from, made_to: of rollups of readings that are
    older than they: from where on they are made, and how far they will go; equal once all are.
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
    made_from: datetime | None
    made_to: datetime | None


_MADE = "SELECT kind, before, oldest FROM rollup_backfill"


async def stored_readings(
    connection: Connection, tables: Iterable[Table], edition: Edition, sizes: Mapping[str, TableSize]
) -> list[StoredReadings]:
    """Return how the rows of each table are stored; tables that are not there are left out."""
    made = {row["kind"]: row for row in await connection.fetch(_MADE)}
    found = []
    for table in tables:
        size = sizes.get(table.name)
        if size is None:
            continue
        stored = await (_plain if edition is Edition.PLAIN else _timescale)(connection, table, size)
        backfill = None if table.resolution is Resolution.READING else made.get(table.kind)
        found.append(
            StoredReadings(
                kind=table.kind,
                resolution=table.resolution,
                table=table.name,
                made_from=max(backfill["before"], backfill["oldest"]) if backfill else None,
                made_to=backfill["oldest"] if backfill else None,
                **stored,
            )
        )
    return found


# Partitions are named after their first day; an empty one takes no page.
_OLDEST = """
SELECT c.relname
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON i.inhrelid = c.oid
WHERE i.inhparent = to_regclass($1) AND c.relname <> $1 || '_other' AND pg_relation_size(c.oid) > 0
ORDER BY c.relname
LIMIT 1
"""


async def _plain(connection: Connection, table: Table, size: TableSize) -> dict[str, Any]:
    named: str | None = await connection.fetchval(_OLDEST, table.name)
    return {
        "rows": size.rows,
        "bytes": size.bytes,
        "before_compression": None,
        "after_compression": None,
        "oldest": None if named is None else datetime.strptime(named[-8:], "%Y%m%d").replace(tzinfo=UTC),
        "keep_days": table.retention / timedelta(days=1),
        "next_at": None,
    }


_HYPERTABLE = """
SELECT approximate_row_count(to_regclass($1)) AS rows,
    hypertable_size(to_regclass($1)) AS bytes,
    stats.before_compression_total_bytes AS before_compression,
    stats.after_compression_total_bytes AS after_compression,
    (
        SELECT min(range_start) FROM timescaledb_information.chunks WHERE hypertable_name = $1
    ) AS oldest,
    (extract(EPOCH FROM (job.config ->> 'drop_after')::interval) / 86400)::float8 AS keep_days,
    CASE WHEN isfinite(job.next_start) THEN job.next_start END AS next_at
FROM (SELECT 1) AS one
LEFT JOIN hypertable_columnstore_stats(to_regclass($1)) AS stats ON true
LEFT JOIN timescaledb_information.jobs AS job
    ON job.hypertable_name = $1 AND job.proc_name = 'policy_retention'
"""


async def _timescale(connection: Connection, table: Table, size: TableSize) -> dict[str, Any]:
    row = await connection.fetchrow(_HYPERTABLE, size.table)
    assert row is not None
    return {**row, "keep_days": row["keep_days"] or table.retention / timedelta(days=1)}
