"""How large tables are: from the catalogue alone, so that asking costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSize:
    """A table with its partitions, indexes and long values. rows: as the server last estimated them."""

    table: str
    rows: int
    bytes: int


# A table that was never analysed has -1 rows; partitioned tables have none themselves.
_SIZES = """
SELECT coalesce(parent.relname, c.relname) AS table,
    sum(CASE WHEN c.relkind = 'p' THEN 0 ELSE greatest(c.reltuples, 0) END)::bigint AS rows,
    sum(pg_total_relation_size(c.oid))::bigint AS bytes
FROM pg_class AS c
LEFT JOIN pg_inherits AS i ON c.oid = i.inhrelid AND c.relispartition
LEFT JOIN pg_class AS parent ON i.inhparent = parent.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
GROUP BY 1
ORDER BY 1
"""


async def table_sizes(connection: Connection) -> dict[str, TableSize]:
    """Return the tables of the schema by name; of a hypertable only what lies outside of its chunks."""
    return {row["table"]: TableSize(**row) for row in await connection.fetch(_SIZES)}
