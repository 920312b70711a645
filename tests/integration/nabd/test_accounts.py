"""Accounts of the processes on a real server: made once, given what they need, refused the rest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from devices.kinds import load
from nabd import doctor
from nabd.accounts import granting, making
from nabd.accounts.grants import PRIVILEGES, Account, grants_on, known, owned
from nabd.accounts.making import AccountsRefused
from nabd.embedded.parts import migrated
from nabd.settings import Settings
from readings.tables import tables_of
from store.errors import Unavailable
from store.migrate import migrate
from store.pool import connect
from tests.databases import as_account, now

TABLES = tables_of(load().values())
PROCESSES = [account for account in Account if account is not Account.OWNER]


@pytest.fixture(params=PROCESSES)
async def own(dsn: str, request: pytest.FixtureRequest) -> AsyncIterator[asyncpg.Connection]:
    """A connection that one of the processes has opened itself."""
    connection = await connect(as_account(dsn, request.param))
    yield connection
    await connection.close()


async def test_no_account_is_a_superuser_or_makes_roles_or_databases(connection: asyncpg.Connection) -> None:
    too_much = await connection.fetch(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY($1::text [])"
        " AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)",
        [account.role for account in Account],
    )

    assert too_much == []


HAS = """
SELECT c.relname, p.privilege
FROM pg_class AS c
CROSS JOIN unnest($1::text []) AS p (privilege)
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
    AND has_table_privilege(c.oid, p.privilege) AND c.relowner <> current_user::regrole
"""
ALL = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]


async def test_account_may_what_the_table_says_and_nothing_else(own: asyncpg.Connection) -> None:
    role = await own.fetchval("SELECT current_user")
    wanted = {
        (g.relation, g.privilege)
        for g in grants_on(TABLES)
        if g.role == role and not g.column and g.privilege != PRIVILEGES["U"]
    }

    assert {tuple(row) for row in await own.fetch(HAS, ALL)} == wanted
    others = [table for table, account in owned(TABLES).items() if account.role == role]
    assert bool(others) == (role == Account.SWEEP.role)


async def test_every_table_has_a_line_which_says_who_may_what(connection: asyncpg.Connection) -> None:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') AND NOT relispartition"
    )

    assert {row["relname"] for row in rows} <= known(TABLES), "add its line to nabd/accounts/grants.py"


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE another SUPERUSER",
        "SET ROLE nabd_owner",
        "ALTER TABLE device ADD COLUMN more text",
        "DROP TABLE audit",
        "TRUNCATE audit",
        "UPDATE audit SET address = ''",
        "DELETE FROM municipality",
        "SELECT rolpassword FROM pg_authid",
        "COPY device TO PROGRAM 'cat'",
        "CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE c AS 'libc', 'system'",
    ],
)
async def test_account_is_refused_what_no_process_does(own: asyncpg.Connection, statement: str) -> None:
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.RaiseError)):
        await own.execute(statement)


@pytest.mark.parametrize(
    ("account", "statement"),
    [
        (Account.INGEST, "SELECT hash FROM token"),
        (Account.INGEST, "SELECT FROM person"),
        (Account.INGEST, "UPDATE municipality SET register_unknown = true"),
        (Account.INGEST, "DELETE FROM bin_reading"),
        (Account.SWEEP, "INSERT INTO device (name) VALUES ('x')"),
        (Account.SWEEP, "SELECT FROM token"),
        (Account.NOTIFY, "UPDATE alert SET state = 'resolved'"),
        (Account.NOTIFY, "INSERT INTO membership DEFAULT VALUES"),
        (Account.API, "DELETE FROM bin_reading"),
        (Account.API, "INSERT INTO bin_hour DEFAULT VALUES"),
        (Account.API, "DELETE FROM audit"),
        (Account.API, "DELETE FROM delivery"),
        (Account.ANNOTATE, "INSERT INTO alert DEFAULT VALUES"),
        (Account.ANNOTATE, "SELECT FROM session"),
        (Account.BRIDGE, "UPDATE command SET args = '{}'"),
        (Account.BRIDGE, "UPDATE command SET payload = ''"),
        (Account.BRIDGE, "UPDATE command SET expires_at = now()"),
        (Account.BRIDGE, "INSERT INTO command DEFAULT VALUES"),
    ],
)
async def test_account_is_refused_what_another_process_does(
    dsn: str, account: Account, statement: str
) -> None:
    connection = await connect(as_account(dsn, account))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


async def test_doctor_looks_at_everything_as_the_api(dsn: str, tmp_path: Path) -> None:
    settings = Settings(database=as_account(dsn, Account.API), data_dir=tmp_path, clock=None)

    found = await doctor.examine(settings)

    assert [one for one in found if "permission denied" in one.said] == []
    assert {"ledger", "rules"} <= {one.subject for one in found}


async def test_rights_that_somebody_changed_are_brought_back(
    dsn: str, connection: asyncpg.Connection
) -> None:
    owner = await connect(as_account(dsn, Account.OWNER))
    try:
        await connection.execute(
            "GRANT DELETE ON alert TO nabd_ingest; REVOKE SELECT ON device FROM nabd_api"
        )
        first = await granting.reconcile(owner, TABLES)
        second = await granting.reconcile(owner, TABLES)
    finally:
        await owner.close()

    assert [one for one in first.statements if "DATABASE" not in one] == [
        'REVOKE DELETE ON "alert" FROM nabd_ingest',
        'GRANT SELECT ON "device" TO nabd_api',
    ]
    assert [one for one in second.statements if "DATABASE" not in one] == []


async def test_database_that_a_superuser_has_filled_is_taken_over_once(empty_dsn: str) -> None:
    superuser = await connect(empty_dsn)
    try:
        await migrate(superuser, TABLES, now=now())
        passwords = {Account.OWNER: "first"}
        first = await making.make(superuser, passwords)
        second = await making.make(superuser, passwords)
        third = await making.make(superuser, {Account.OWNER: "second"})
        await migrated(Settings(database=as_account(empty_dsn, Account.OWNER), clock=None))
        strangers = await superuser.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relowner NOT IN ('nabd_owner'::regrole, 'nabd_sweep'::regrole)"
        )
        await superuser.execute("ALTER ROLE nabd_owner PASSWORD NULL")
    finally:
        await superuser.close()

    assert "TABLE public.device" in first.owner_of
    assert (second.made, second.passwords, second.owner_of) == ((), (), ())
    assert third.passwords == ("nabd_owner",)
    assert strangers == []


async def test_account_that_the_database_does_not_know_is_told_the_fix(dsn: str) -> None:
    with pytest.raises(Unavailable, match=r"nabd_nobody.*`nabd store accounts` makes accounts"):
        await connect(dsn.replace("//postgres@", "//nabd_nobody@"))


async def test_who_is_no_superuser_is_told_so(dsn: str) -> None:
    connection = await connect(as_account(dsn, Account.API))
    try:
        with pytest.raises(AccountsRefused, match="only a superuser makes accounts, and nabd_api is none"):
            await making.make(connection, {})
    finally:
        await connection.close()
