"""How many bytes readings take: in the write-ahead log, in their tables, in the indexes of these."""

from __future__ import annotations

from dataclasses import dataclass

from devices import kinds
from readings.tables import table_name
from store.connection import Connection

_WAL = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


async def wal_position(connection: Connection) -> int:
    """Return how many bytes the server has ever written to its log, for whatever database."""
    position: int = await connection.fetchval(_WAL)
    return position


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSize:
    """Of the tables of readings. tables: with long values and maps."""

    tables: int
    indexes: int


# Partitions and chunks without rows still take pages for their indexes.
_SIZES = """
SELECT coalesce(sum(pg_table_size(c.oid)), 0)::bigint AS tables,
    coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint AS indexes
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON i.inhrelid = c.oid
WHERE i.inhparent = ANY ($1::text []::regclass []) AND pg_relation_size(c.oid) > 0
"""


async def of_readings(connection: Connection) -> StoredSize:
    """Return how much the readings of every kind take, partitions or chunks together."""
    row = await connection.fetchrow(_SIZES, [table_name(name) for name in kinds.load()])
    assert row is not None
    return StoredSize(**row)
