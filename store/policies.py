"""How long TimescaleDB keeps the rows of a table and when it compresses them, as settings say now.

Installed with the table; changed here when a setting has changed. The plain edition has partitions instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from store.connection import Connection
from store.tables import COMPRESS_AFTER, Table, interval

_STORED = """
SELECT
    j.hypertable_name AS name,
    max(j.config ->> 'drop_after')::interval AS drop_after,
    max(j.config ->> 'compress_after')::interval AS compress_after
FROM timescaledb_information.jobs AS j
WHERE j.hypertable_name = ANY($1)
GROUP BY j.hypertable_name
"""


async def keep_policies(connection: Connection, tables: Sequence[Table]) -> list[str]:
    """Make policies what the tables say; return the names of tables whose policies have changed.

    What is past a shorter retention is dropped by the next run of the policy, within a day.
    """
    rows = await connection.fetch(_STORED, [table.name for table in tables])
    stored = {row["name"]: (row["drop_after"], row["compress_after"]) for row in rows}
    changed = []
    for table in tables:
        drop_after, compress_after = stored.get(table.name, (None, None))
        statements = _changes(table, drop_after, compress_after)
        if statements:
            async with connection.transaction():
                for statement in statements:
                    await connection.execute(statement)
            changed.append(table.name)
    return changed


def _changes(table: Table, drop_after: timedelta | None, compress_after: timedelta | None) -> list[str]:
    found = []
    if compress_after != COMPRESS_AFTER[table.resolution]:
        after = interval(COMPRESS_AFTER[table.resolution])
        found += [
            f"CALL remove_columnstore_policy('{table.name}', if_exists => true)",
            f"CALL add_columnstore_policy('{table.name}', after => {after})",
        ]
    if drop_after != table.retention:
        found += [
            f"SELECT remove_retention_policy('{table.name}', if_exists => true)",
            f"SELECT add_retention_policy('{table.name}', drop_after => {interval(table.retention)})",
        ]
    return found
