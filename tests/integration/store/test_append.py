"""Rows are appended while something else is done, and whatever happens meanwhile, the connection is known."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import asyncpg
import numpy as np
import pytest

from store import readings
from store.copy import CopyColumn
from store.failures import Failure, classify
from store.pool import connect
from store.readings import CopyWriter
from store.tables import ColumnType
from tests.waiting import eventually

ROWS = pytest.mark.parametrize("rows", [10, 20_000], ids=["fits in a socket", "does not fit"])


def columns(rows: int) -> list[CopyColumn]:
    return [
        CopyColumn(name="id", type=ColumnType.INTEGER, values=np.arange(rows, dtype=np.int32)),
        CopyColumn(name="e", type=ColumnType.TEXT, values=np.full(rows, "x" * 200, dtype=object)),
    ]


def pieces(*work: Callable[[], object]) -> Iterator[object]:
    for piece in work:
        yield piece()


async def append(
    connection: asyncpg.Connection, rows: int, meanwhile: Iterator[object] | None = None
) -> None:
    async with connection.transaction():
        await CopyWriter().append(connection, "copied", columns(rows), rows, meanwhile or iter(()))


@pytest.fixture(autouse=True)
async def table(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TABLE copied (id integer PRIMARY KEY, e text)")


async def dawdle(connection: asyncpg.Connection, when: str) -> None:
    """Have the server take a third of a second more for rows, before or after it looks at them."""
    await connection.execute(
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END $$"
    )
    await connection.execute(
        f"CREATE TRIGGER dawdle {when} INSERT ON copied FOR EACH STATEMENT EXECUTE FUNCTION dawdle()"
    )


@pytest.fixture
async def locking(dsn: str, table: None) -> AsyncIterator[asyncpg.Connection]:
    """Another connection, which keeps everybody from the table."""
    locking = await connect(dsn)
    async with locking.transaction():
        await locking.execute("LOCK TABLE copied")
        yield locking
    await locking.close()


async def blocked(locking: asyncpg.Connection, pid: int) -> bool:
    found = await locking.fetchval("SELECT wait_event_type FROM pg_stat_activity WHERE pid = $1", pid)
    return bool(found == "Lock")


async def test_work_is_done_for_as_long_as_the_server_takes_rows(connection: asyncpg.Connection) -> None:
    await dawdle(connection, "AFTER")
    done: list[str] = []
    work = pieces(lambda: done.append("meanwhile"), lambda: time.sleep(1), lambda: done.append("later"))

    await append(connection, 20_000, work)

    assert done == ["meanwhile"]
    assert list(work) == [None]
    assert await connection.fetchval("SELECT count(*) FROM copied") == 20_000


async def test_connection_is_of_use_when_the_server_refuses_a_row_meanwhile(
    connection: asyncpg.Connection,
) -> None:
    await append(connection, 10)
    await dawdle(connection, "BEFORE")
    work = pieces(lambda: time.sleep(1))

    with pytest.raises(asyncpg.UniqueViolationError):
        await append(connection, 10, work)

    assert list(work) == []
    assert await connection.fetchval("SELECT count(*) FROM copied") == 10


@ROWS
async def test_lost_connection_is_told_at_once(
    connection: asyncpg.Connection, locking: asyncpg.Connection, rows: int
) -> None:
    pid = connection.get_server_pid()
    appending = asyncio.create_task(append(connection, rows))
    await eventually(partial(blocked, locking, pid))

    await locking.execute("SELECT pg_terminate_backend($1)", pid)

    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)) as lost:
        async with asyncio.timeout(10) as deadline:
            await appending
    assert not deadline.expired()
    assert classify(lost.value) is Failure.TRANSIENT


@ROWS
async def test_frozen_server_is_not_waited_for_without_end(
    connection: asyncpg.Connection, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readings, "COPY_TIMEOUT_S", 0.5)
    pid = connection.get_server_pid()
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10) as deadline:
                await CopyWriter().append(connection, "copied", columns(rows), rows, iter(()))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert not deadline.expired()


@ROWS
async def test_connection_is_of_use_when_appending_is_given_up(
    connection: asyncpg.Connection, locking: asyncpg.Connection, rows: int
) -> None:
    appending = asyncio.create_task(append(connection, rows))
    await eventually(partial(blocked, locking, connection.get_server_pid()))

    appending.cancel()

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await appending
    assert not connection.is_in_transaction()
    assert await connection.fetchval("SELECT 1") == 1


async def test_connection_is_of_use_when_appending_is_given_up_at_work(
    connection: asyncpg.Connection,
) -> None:
    await dawdle(connection, "AFTER")
    appending = asyncio.create_task(append(connection, 20_000, pieces(lambda: appending.cancel())))

    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await appending

    assert not connection.is_in_transaction()
    assert await connection.fetchval("SELECT count(*) FROM copied") == 0
