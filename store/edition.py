"""Which of the two database editions a database is: decided once, at its first migrate, then stored.

Never probed again: a database does not change its edition under running processes. To change it, dump
and restore into a new database.
"""

from __future__ import annotations

from enum import StrEnum

import asyncpg

from store.connection import Connection
from store.errors import NotMigrated


class Edition(StrEnum):
    """How readings are stored."""

    PLAIN = "plain"  # any PostgreSQL: native partitions, retention by us
    TIMESCALE = "timescale"  # TimescaleDB with its community licence: hypertables, columnstore, policies


EXTENSION_STATE = """
SELECT
    EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') AS installed,
    EXISTS (SELECT FROM pg_settings WHERE name = 'timescaledb.disable_load') AS preloaded
"""
CREATE_EXTENSION = "CREATE EXTENSION IF NOT EXISTS timescaledb"
LICENCE = "SELECT current_setting('timescaledb.license', true)"


async def detect(connection: Connection) -> Edition:
    """Return what a new database can be, and create the extension where it can be created.

    Creating it where the server has not preloaded its library ends the connection: so that is checked first.
    """
    state = await connection.fetchrow(EXTENSION_STATE)
    assert state is not None
    if not state["installed"]:
        if not state["preloaded"]:
            return Edition.PLAIN
        try:
            async with connection.transaction():
                await connection.execute(CREATE_EXTENSION)
        except (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError):
            return Edition.PLAIN
    licence = await connection.fetchval(LICENCE)
    return Edition.TIMESCALE if licence == "timescale" else Edition.PLAIN


STORED = "SELECT edition FROM nabd_schema"


async def stored(connection: Connection) -> Edition:
    """Return the edition of a migrated database.

    Raises:
        NotMigrated: the database was never migrated.
    """
    try:
        found = await connection.fetchval(STORED)
    except asyncpg.UndefinedTableError:
        found = None
    if found is None:
        raise NotMigrated("the database has no Nabd schema yet: run `nabd migrate`")
    return Edition(found)
