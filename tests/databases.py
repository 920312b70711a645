"""Databases for tests: one embedded PostgreSQL a run, one migrated template, one copy of it a test."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from devices.kinds import load
from nabd.accounts import granting, making
from nabd.accounts.grants import Account
from nabd.embedded.postgres import EmbeddedPostgres
from readings.tables import tables_of
from store.migrate import MigrationReport, migrate
from store.pool import connect

T = TypeVar("T")

TEMPLATE = "nabd_template"

FAST = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_connections": "200"}
"""A test survives kill -9 of the server with these, though not a power cut."""

_numbers = itertools.count(1)


def now() -> int:
    """Return the wall clock in microseconds; partitions of test databases lie around it."""
    return time.time_ns() // 1000


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine beside whatever event loop the test may have."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


async def execute(dsn: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    connection = await connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def migrate_all(dsn: str) -> MigrationReport:
    """Migrate a database with every declared kind, and let the processes' accounts that are there in."""
    connection = await connect(dsn, statement_timeout_s=0)
    tables = tables_of(load().values())
    try:
        report = await migrate(connection, tables, now=now())
        await granting.reconcile(connection, tables)
    finally:
        await connection.close()
    return report


async def make_accounts(dsn: str) -> None:
    """Make the processes' accounts, without passwords: the embedded server asks for none."""
    connection = await connect(dsn)
    try:
        await making.make(connection, {})
    finally:
        await connection.close()


def as_account(dsn: str, account: Account) -> str:
    """Return the address at which the embedded server knows us as one of the processes."""
    return dsn.replace("//postgres@", f"//{account.role}@")


def create_template(server: EmbeddedPostgres) -> str:
    """Make the migrated database that tests get copies of; return its name."""
    run(execute(server.dsn(), f"CREATE DATABASE {TEMPLATE}"))
    run(make_accounts(server.dsn(TEMPLATE)))
    run(migrate_all(as_account(server.dsn(TEMPLATE), Account.OWNER)))
    return TEMPLATE


def create_database(server: EmbeddedPostgres, template: str = "template0") -> str:
    """Make a database nobody else uses and return its name."""
    name = f"test_{next(_numbers)}"
    run(execute(server.dsn(), f"CREATE DATABASE {name} TEMPLATE {template}"))
    return name


def drop_database(server: EmbeddedPostgres, name: str) -> None:
    """Drop a test's database, whoever is still connected."""
    run(execute(server.dsn(), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))


@contextmanager
def on_server(dsn: str) -> Iterator[str]:
    """Give a database of its own on a server that others use too."""
    name = f"nabd_test_{uuid.uuid4().hex}"
    run(execute(dsn, f"CREATE DATABASE {name}"))
    try:
        yield urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
    finally:
        run(execute(dsn, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
