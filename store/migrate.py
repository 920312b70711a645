"""Bring a database to this program's schema: numbered migrations, then kind tables, then views.

Forward only. Kind tables are created and gain columns, nothing else. Must not know what a kind means.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from store import holder, partitions, policies, rollup_views, views
from store.connection import Connection
from store.edition import Edition, detect, stored
from store.errors import MigrationError, NotMigrated
from store.readers import seen
from store.tables import Table, add_column, create
from store.versions import Migration, load


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """What one migrate did; all empty when the database was up to date."""

    edition: Edition
    applied: tuple[str, ...] = ()
    not_applicable: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    partitions_made: tuple[str, ...] = ()
    partitions_dropped: tuple[str, ...] = ()


BOOKKEEPING = """
CREATE TABLE IF NOT EXISTS nabd_schema (
    edition text NOT NULL CHECK (edition IN ('plain', 'timescale')),
    created_at timestamptz NOT NULL DEFAULT now(),
    one boolean PRIMARY KEY DEFAULT true CHECK (one)
);
CREATE TABLE IF NOT EXISTS nabd_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applicable boolean NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);
"""
CHOOSE_EDITION = "INSERT INTO nabd_schema (edition) VALUES ($1)"
RECORD = "INSERT INTO nabd_migration (number, name, checksum, applicable) VALUES ($1, $2, $3, $4)"


async def migrate(
    connection: Connection,
    tables: Sequence[Table],
    *,
    now: int,
    versions: Sequence[Migration] | None = None,
) -> MigrationReport:
    """Apply what is missing; repeating it does nothing. `now` is in microseconds.

    Raises:
        MigrationError: a migration failed or was changed after it ran, the database is newer than this
            program, or a declared column has another type than the stored one.
    """
    versions = load() if versions is None else versions
    async with _alone(connection):
        await connection.execute(BOOKKEEPING)
        edition = await _edition(connection)
        applied: list[str] = []
        skipped: list[str] = []
        for version in _pending(versions, await _applied(connection)):
            await _apply(connection, version, edition)
            (applied if version.applies_to(edition) else skipped).append(str(version))
        changes = await _changes(connection, tables, edition)
        async with connection.transaction():
            for statement in changes.statements:
                await connection.execute(statement)
        kept = partitions.PartitionChanges()
        if edition is Edition.PLAIN:
            kept = await partitions.keep_partitions(connection, tables, now)
        else:
            await policies.keep_policies(connection, tables)
        # Views ask for what the newest version has made.
        if len(versions) >= len(load()):
            await _create_views(connection, tables)
        return MigrationReport(
            edition=edition,
            applied=tuple(applied),
            not_applicable=tuple(skipped),
            tables=changes.tables,
            columns=changes.columns,
            partitions_made=kept.made,
            partitions_dropped=kept.dropped,
        )


TAKE_TIME = "SET statement_timeout = 0; SET lock_timeout = '30s'"
"""An index may take an hour to build, but waiting for a lock blocks every writer that comes after."""
AS_BEFORE = "RESET statement_timeout; RESET lock_timeout"


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Let one migrate run at a time; held by the session, as not all of it runs in transactions."""
    await connection.execute("SET statement_timeout = 0")
    await holder.prepare(connection)
    await holder.wait(connection, "migrate")
    try:
        await connection.execute(TAKE_TIME)
        yield
    finally:
        if not connection.is_closed():
            await holder.release(connection, "migrate")
            await connection.execute(AS_BEFORE)


async def _edition(connection: Connection) -> Edition:
    try:
        return await stored(connection)
    except NotMigrated:
        chosen = await detect(connection)
        await connection.execute(CHOOSE_EDITION, chosen)
        return chosen


APPLIED = "SELECT number, name, checksum FROM nabd_migration ORDER BY number"


async def _applied(connection: Connection) -> dict[int, asyncpg.Record]:
    try:
        return {row["number"]: row for row in await connection.fetch(APPLIED)}
    except asyncpg.UndefinedTableError:
        return {}


def _pending(versions: Sequence[Migration], applied: dict[int, asyncpg.Record]) -> list[Migration]:
    """Return what is still to run, after checking that what ran is unchanged."""
    known = {version.number: version for version in versions}
    for number, row in applied.items():
        if number not in known:
            raise MigrationError(
                f"the database is newer than this program: it has migration {number:04}_{row['name']},"
                f" this program ends at {max(known, default=0):04}; install the newer program"
            )
        if known[number].checksum != row["checksum"]:
            raise MigrationError(
                f"migration {known[number]} was changed after it ran; restore its text and put the change"
                " into a new migration"
            )
    return [version for version in versions if version.number not in applied]


async def _apply(connection: Connection, version: Migration, edition: Edition) -> None:
    row = (version.number, version.name, version.checksum, version.applies_to(edition))
    if not version.applies_to(edition):
        await connection.execute(RECORD, *row)
        return
    try:
        if version.transaction:
            async with connection.transaction():
                await connection.execute(version.sql)
                await connection.execute(RECORD, *row)
        else:
            await connection.execute(version.sql)
            await connection.execute(RECORD, *row)
    except asyncpg.PostgresError as error:
        raise MigrationError(f"migration {version} failed: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Changes:
    statements: tuple[str, ...]
    tables: tuple[str, ...]
    columns: tuple[str, ...]


async def _changes(connection: Connection, tables: Sequence[Table], edition: Edition) -> _Changes:
    """Return what declared tables lack, without doing it."""
    statements: list[str] = []
    new: list[str] = []
    columns: list[str] = []
    for table in tables:
        stored = await _columns(connection, table.name)
        if not stored:
            statements += create(table, edition)
            new.append(table.name)
            continue
        for column in table.columns:
            if column.name not in stored:
                statements.append(add_column(table, column))
                columns.append(f"{table.name}.{column.name}")
            elif stored[column.name] != column.type:
                raise MigrationError(
                    f"{table.name}.{column.name} is stored as {stored[column.name]} and now declared as"
                    f" {column.type}; a changed type is a new name: declare it under another one"
                )
    return _Changes(statements=tuple(statements), tables=tuple(new), columns=tuple(columns))


COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) AS type
FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""


async def _columns(connection: Connection, table: str) -> dict[str, str]:
    """Return a table's columns and their types, in stored order; empty when there is no such table."""
    return {row["attname"]: row["type"] for row in await connection.fetch(COLUMNS, table)}


READERS = """
SELECT string_agg(DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE acl.grantee::regrole::text END, ', ')
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
WHERE c.oid = to_regclass($1) AND acl.privilege_type = 'SELECT' AND acl.grantee <> c.relowner
"""


async def _create_views(connection: Connection, tables: Sequence[Table]) -> None:
    stored = [(table, list(await _columns(connection, table.name))) for table in tables]
    async with connection.transaction():
        wanted = views.statements(stored) | rollup_views.statements(stored)
        for name, statement in wanted.items():
            try:
                async with connection.transaction():
                    await connection.execute(statement)
            except asyncpg.InvalidTableDefinitionError:
                # A column is gone or moved: the view must be dropped. Fails if something depends on it.
                readers = await connection.fetchval(READERS, name)
                await connection.execute(f"DROP VIEW {name}; {statement}")
                if readers:
                    await connection.execute(f"GRANT SELECT ON {name} TO {readers}")
        await connection.execute(seen.OFFER, [name for name in wanted if name.startswith("v_")])


async def plan(
    connection: Connection,
    tables: Sequence[Table],
    *,
    now: int,
    versions: Sequence[Migration] | None = None,
) -> list[str]:
    """Return the SQL that `migrate` would run, views aside, and change nothing.

    Raises:
        MigrationError: as `migrate`.
    """
    try:
        edition = await stored(connection)
    except NotMigrated:
        edition = await _edition_of_new(connection)
    pending = _pending(load() if versions is None else versions, await _applied(connection))
    found = [version.sql for version in pending if version.applies_to(edition)]
    found += (await _changes(connection, tables, edition)).statements
    if edition is Edition.PLAIN:
        for partition in await partitions.missing(connection, tables, now):
            found += partitions.statements(partition)
    return found


async def _edition_of_new(connection: Connection) -> Edition:
    """Return what a new database would become; the extension is created and rolled back."""
    attempt = connection.transaction()
    await attempt.start()
    try:
        return await detect(connection)
    finally:
        await attempt.rollback()


async def require_migrated(
    connection: Connection, tables: Sequence[Table] = (), *, versions: Sequence[Migration] | None = None
) -> Edition:
    """Return the edition of a database whose schema this program can use; for processes at start.

    Raises:
        NotMigrated: migrations are missing, or one of the declared tables or its columns.
        MigrationError: the database is newer than this program, or a migration was changed.
    """
    edition = await stored(connection)
    pending = _pending(load() if versions is None else versions, await _applied(connection))
    if pending:
        raise NotMigrated(f"the database lacks migration {pending[0]}: run `nabd migrate`")
    changes = await _changes(connection, tables, edition)
    if lacking := (*changes.tables, *changes.columns):
        raise NotMigrated(f"the database lacks {', '.join(lacking)}: run `nabd migrate`")
    return edition
