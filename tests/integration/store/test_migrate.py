"""Migrating a database, in both editions where they could differ."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import asyncpg
import pytest

from devices.kinds import load as load_kinds
from readings.tables import tables_of
from store.edition import Edition
from store.errors import MigrationError, NotMigrated
from store.migrate import MigrationReport, migrate, plan, require_migrated
from store.pool import connect
from store.tables import Column, ColumnType, Table
from store.versions import Migration, load
from tests.readings_tables import KITES, insert, microseconds

NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
NOW = microseconds(NOON)


def version(number: int, sql: str, *, edition: Edition | None = None, transaction: bool = True) -> Migration:
    return Migration(number=number, name=f"v{number}", sql=sql, edition=edition, transaction=transaction)


async def apply(
    connection: asyncpg.Connection, tables: Sequence[Table] = (), versions: Sequence[Migration] | None = None
) -> MigrationReport:
    return await migrate(connection, tables, now=NOW, versions=versions)


async def test_first_migrate_creates_everything_and_the_second_does_nothing(
    empty: asyncpg.Connection,
) -> None:
    tables = tables_of(load_kinds().values())

    first = await apply(empty, tables)
    second = await apply(empty, tables)

    assert first.applied == tuple(str(v) for v in load())
    assert first.tables == tuple(table.name for table in tables)
    assert second == MigrationReport(edition=first.edition)
    assert await require_migrated(empty) is first.edition


async def test_plan_is_what_migrate_runs_and_changes_nothing(empty: asyncpg.Connection) -> None:
    planned = await plan(empty, [KITES], now=NOW)

    assert "CREATE TABLE municipality" in planned[0]
    assert any("CREATE TABLE kite_reading (" in sql for sql in planned)
    assert await empty.fetchval("SELECT to_regclass('nabd_schema')") is None

    await apply(empty, [KITES])
    assert await plan(empty, [KITES], now=NOW) == []


async def test_new_measurement_is_added_to_a_table_with_readings_and_shown_last(
    empty: asyncpg.Connection,
) -> None:
    await apply(empty, [KITES])
    await insert(empty, [NOON])
    wider = replace(KITES, columns=(Column(name="wind_mps", type=ColumnType.NUMBER), *KITES.columns))

    report = await apply(empty, [wider])

    assert report.columns == ("kite_reading.wind_mps",)
    row = await empty.fetchrow("SELECT height_m, wind_mps FROM kite_reading")
    assert row is not None
    assert tuple(row) == (5.0, None)
    view = await empty.prepare("SELECT * FROM v_kite")
    assert view.get_attributes()[-1].name == "wind_mps"


async def test_measurement_no_longer_declared_keeps_its_column_and_leaves_the_view(
    empty: asyncpg.Connection,
) -> None:
    await apply(empty, [KITES])
    narrower = replace(KITES, columns=tuple(c for c in KITES.columns if c.name != "height_m"))

    await apply(empty, [narrower])

    await empty.execute("SELECT height_m FROM kite_reading")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await empty.execute("SELECT height_m FROM v_kite")


async def test_changed_type_is_refused_with_the_fix(plain: asyncpg.Connection) -> None:
    await apply(plain, [KITES])
    text = Column(name="height_m", type=ColumnType.TEXT)
    changed = replace(KITES, columns=tuple(text if c.name == "height_m" else c for c in KITES.columns))

    with pytest.raises(MigrationError, match=r"double precision and now declared as text.*another"):
        await apply(plain, [changed])


async def test_migration_of_the_other_edition_is_recorded_as_not_applicable(
    empty: asyncpg.Connection,
) -> None:
    both = [
        version(1, "CREATE TABLE of_plain (id int)", edition=Edition.PLAIN),
        version(2, "CREATE TABLE of_timescale (id int)", edition=Edition.TIMESCALE),
    ]
    report = await _without_views(empty, both)

    mine = f"of_{report.edition}"
    there = await empty.fetch("SELECT relname FROM pg_class WHERE relname LIKE 'of\\_%' AND relkind = 'r'")
    assert [row["relname"] for row in there] == [mine]
    assert len(report.applied) == len(load()) + 1
    assert len(report.not_applicable) == 1
    assert (await _without_views(empty, both)).applied == ()


async def _without_views(connection: asyncpg.Connection, extra: Sequence[Migration]) -> MigrationReport:
    shipped = load()
    more = [replace(v, number=len(shipped) + v.number) for v in extra]
    return await apply(connection, versions=[*shipped, *more])


async def test_failed_migration_leaves_the_database_as_it_was(plain: asyncpg.Connection) -> None:
    with pytest.raises(MigrationError, match=r'0001_v1 failed: relation "absent" does not exist'):
        await apply(plain, versions=[version(1, "CREATE TABLE half (id int); SELECT * FROM absent")])

    assert await plain.fetchval("SELECT to_regclass('half')") is None
    assert await plain.fetchval("SELECT count(*) FROM nabd_migration") == 0


async def test_migration_without_transaction_may_run_what_refuses_one(plain: asyncpg.Connection) -> None:
    await apply(plain)
    concurrently = "CREATE INDEX CONCURRENTLY municipality_title ON municipality (title)"

    await _without_views(plain, [version(1, concurrently, transaction=False)])

    assert await plain.fetchval("SELECT to_regclass('municipality_title')") is not None


async def test_migration_changed_after_it_ran_is_refused(plain: asyncpg.Connection) -> None:
    await apply(plain)
    first, *rest = load()

    with pytest.raises(MigrationError, match=r"0001_\w+ was changed after it ran"):
        await apply(plain, versions=[replace(first, sql=first.sql + "\n"), *rest])


async def test_database_newer_than_the_program_is_refused(plain: asyncpg.Connection) -> None:
    await _without_views(plain, [version(1, "SELECT 1")])

    with pytest.raises(MigrationError, match="newer than this program"):
        await apply(plain)
    with pytest.raises(MigrationError, match="newer than this program"):
        await require_migrated(plain)


async def test_process_does_not_start_on_a_database_that_lacks_migrations(plain: asyncpg.Connection) -> None:
    with pytest.raises(NotMigrated, match="run `nabd migrate`"):
        await require_migrated(plain)

    await apply(plain)

    with pytest.raises(NotMigrated, match="lacks migration 0999_v999: run `nabd migrate`"):
        await require_migrated(plain, versions=[*load(), version(999, "SELECT 1")])


async def test_two_migrates_at_once_take_turns(empty_dsn: str) -> None:
    connections = [await connect(empty_dsn, statement_timeout_s=0) for _ in range(3)]

    reports = await asyncio.gather(*(apply(connection, [KITES]) for connection in connections))

    assert sorted(len(report.tables) for report in reports) == [0, 0, 1]
    for connection in connections:
        await connection.close()


async def test_edition_is_never_probed_again(timescale: asyncpg.Connection) -> None:
    await apply(timescale)
    await timescale.execute("UPDATE nabd_schema SET edition = 'plain'")

    assert (await apply(timescale)).edition is Edition.PLAIN
