"""Who holds what only one session may hold at a time: a row that names the session, free once that has ended.

Not an advisory lock: those can be taken by every account that may connect, one that only reads included. The
sessions of one name belong to one database account, which sees in pg_stat_activity whether the others live.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg

from store.connection import Connection

ASK_AGAIN_S = 0.2
_CREATE = """
CREATE TABLE IF NOT EXISTS nabd_holder (
    name text PRIMARY KEY,
    pid integer NOT NULL,
    session_began_at timestamptz
)
"""


async def prepare(connection: Connection) -> None:
    """Make the table; `nabd migrate` does so before anything else, since it holds a name itself."""
    # Another one just made it: the table, its type, or the row of either in the catalogue.
    with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateTableError, asyncpg.DuplicateObjectError):
        await connection.execute(_CREATE)


_INSERT = """
INSERT INTO nabd_holder AS h (name, pid, session_began_at)
SELECT $1, pg_backend_pid(), (
    SELECT a.backend_start FROM pg_stat_activity AS a WHERE a.pid = pg_backend_pid()
)
ON CONFLICT (name)
"""
_TAKE = f"""
{_INSERT} DO UPDATE
SET pid = excluded.pid, session_began_at = excluded.session_began_at
"""
_CLAIM = f"""
{_TAKE}
WHERE
    h.pid = pg_backend_pid()
    OR NOT EXISTS (
        SELECT FROM pg_stat_activity AS a WHERE a.pid = h.pid AND a.backend_start = h.session_began_at
    )
RETURNING true
"""


async def claim(connection: Connection, name: str) -> bool:
    """Hold `name` until the session ends or releases it; tell whether it is ours, also if it was before."""
    return bool(await connection.fetchval(_CLAIM, name))


_END = """
SELECT pg_terminate_backend(a.pid)
FROM pg_stat_activity AS a
INNER JOIN nabd_holder AS h ON a.pid = h.pid AND a.backend_start = h.session_began_at
WHERE h.name = $1 AND a.pid <> pg_backend_pid()
"""


async def take(connection: Connection, name: str) -> None:
    """Hold `name` although another session does, which is ended: it might begin again sooner than we look."""
    async with connection.transaction():
        # Waits for whoever is about to hold it as the first one ever: what is not there yet cannot be locked.
        await connection.execute(f"{_INSERT} DO NOTHING", name)
        await connection.execute("SELECT FROM nabd_holder WHERE name = $1 FOR UPDATE", name)
        await connection.execute(_END, name)
        await connection.execute(_TAKE, name)


async def wait(connection: Connection, name: str) -> None:
    """Hold `name` as soon as nobody else does."""
    while not await claim(connection, name):  # noqa: ASYNC110 - the database tells of no end of a session
        await asyncio.sleep(ASK_AGAIN_S)


_RELEASE = "DELETE FROM nabd_holder WHERE name = $1 AND pid = pg_backend_pid()"


async def release(connection: Connection, name: str) -> None:
    """Let go of a name; nothing happens where it is not ours."""
    await connection.execute(_RELEASE, name)
