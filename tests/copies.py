"""Databases like the migrated template, one for each test: made by copying it, and cleaned to be used again.

A copy costs several hundred files; cleaning one costs a third of that. A database that a test left with
another schema is dropped. What is handed out has a name of its own every time, so that a process which an
earlier test left behind does not find it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from nabd.embedded.postgres import EmbeddedPostgres
from store.pool import connect
from tests.databases import create_database, drop_database, run

_numbers = itertools.count(1)

# What a test could change beside rows: relations, columns, constraints, triggers, functions, rights.
SHAPE = """
SELECT md5(string_agg(line, ' ' ORDER BY line))
FROM (
    SELECT concat_ws(' ', oid, relname, relkind, relnatts, relchecks, reloptions, relacl)
    FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', a.attrelid, a.attname, a.atttypid, a.attnotnull, a.atthasdef, a.attacl)
    FROM pg_attribute AS a INNER JOIN pg_class AS c ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0
    UNION ALL
    SELECT concat_ws(' ', conrelid, conname, convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', tgrelid, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', oid, proname) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL
    SELECT concat_ws(' ', nspname, nspacl) FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast_temp)_'
    UNION ALL
    SELECT concat_ws(' ', s.setrole, s.setconfig)
    FROM pg_db_role_setting AS s INNER JOIN pg_database AS d ON s.setdatabase = d.oid
    WHERE d.datname = current_database()
) AS everything (line)
"""

# A table that ever had a row since it was made or truncated has a first page. Deleting a few rows costs much
# less than truncating, which makes new files for the table, its indexes and all that refer to it.
TOUCHED = """
SELECT relname, pg_relation_size(oid) > 100000 AS large FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
"""

SEQUENCES = """
SELECT
    seqrelid::regclass::text AS name,
    coalesce(pg_sequence_last_value(seqrelid), seqstart) AS value,
    pg_sequence_last_value(seqrelid) IS NOT NULL AS called
FROM pg_sequence
"""

END_SESSIONS = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsMigrated:
    """What a copy is like before a test: its schema's fingerprint, the few rows, how far sequences are."""

    shape: str
    rows: dict[str, list[dict[str, Any]]]
    sequences: tuple[list[str], list[int], list[bool]]


class Copies:
    """Copies of one template on one server, for one process of tests."""

    def __init__(self, server: EmbeddedPostgres, template: str) -> None:
        self._server = server
        self._template = template
        self._clean: list[str] = []
        self._before: AsMigrated | None = None

    def take(self) -> str:
        """Return the name of a database that is as the template is."""
        if self._clean:
            return self._clean.pop()
        name = create_database(self._server, self._template)
        if self._before is None:
            self._before = run(_look(self._server.dsn(name)))
        return name

    def give_back(self, name: str) -> None:
        """End every session of a database and clean it, or drop it when its schema is another now."""
        assert self._before is not None
        renamed = f"copy_{next(_numbers)}"
        run(_rename(self._server.dsn(), name, renamed))
        if run(_clean(self._server.dsn(renamed), self._before)):
            self._clean.append(renamed)
        else:
            drop_database(self._server, renamed)


async def _look(dsn: str) -> AsMigrated:
    connection = await connect(dsn)
    try:
        rows = {}
        for table, _ in await connection.fetch(TOUCHED):
            rows[table] = await connection.fetchval(f"SELECT coalesce(jsonb_agg(t), '[]') FROM {table} AS t")
        shape = await connection.fetchval(SHAPE)
        found = await connection.fetch(SEQUENCES)
        sequences = ([r["name"] for r in found], [r["value"] for r in found], [r["called"] for r in found])
        return AsMigrated(shape=shape, rows=rows, sequences=sequences)
    finally:
        await connection.close()


async def _rename(server: str, name: str, renamed: str) -> None:
    connection = await connect(server)
    try:
        await connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        await connection.fetch(END_SESSIONS, name)
        await connection.execute(f"ALTER DATABASE {name} RENAME TO {renamed}")
        await connection.execute(f"ALTER DATABASE {renamed} WITH ALLOW_CONNECTIONS true")
    finally:
        await connection.close()


RESET = """
SELECT setval(name::regclass, value, called)
FROM unnest($1::text [], $2::bigint [], $3::boolean []) AS s (name, value, called)
WHERE pg_sequence_last_value(name::regclass) IS DISTINCT FROM CASE WHEN called THEN value END
"""


async def _clean(dsn: str, before: AsMigrated) -> bool:
    """Bring rows and sequences back; tell whether that was enough."""
    connection = await connect(dsn)
    try:
        if await connection.fetchval(SHAPE) != before.shape:
            return False
        touched = await connection.fetch(TOUCHED)
        large = {row["relname"] for row in touched if row["large"]} - before.rows.keys()
        small = {row["relname"] for row in touched} - before.rows.keys() - large
        async with connection.transaction():
            # The audit refuses to be emptied; keys are checked again by who uses them.
            await connection.execute("SET LOCAL session_replication_role = replica")
            if large:
                await connection.execute(f"TRUNCATE {', '.join(large)} CASCADE")
            if small:
                await connection.execute("; ".join(f"DELETE FROM {table}" for table in small))
            for table, rows in before.rows.items():
                await connection.execute(f"DELETE FROM {table}")
                insert = (
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
                    f" SELECT * FROM jsonb_populate_recordset(NULL::{table}, $1)"
                )
                await connection.execute(insert, rows)
            await connection.fetch(RESET, *before.sequences)
        return True
    finally:
        await connection.close()
