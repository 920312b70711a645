"""The database of a backup: one snapshot, counted and dumped; a restore that happens wholly or not at all.

TimescaleDB asks for steps of its own around a restore; the plain edition needs none.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit, urlunsplit

from nabd.backup import programs, sealed
from nabd.backup.errors import BackupRefused
from nabd.backup.keys import BackupKey
from nabd.backup.sealed import SealedFile, Told
from store.connection import Connection
from store.edition import Edition
from store.pool import connect

NAME = "database.dump.age"

SNAPSHOT = "SELECT pg_export_snapshot()"
TABLES = """
SELECT c.relname
FROM pg_class AS c
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.relname
"""
ROLES = """
SELECT DISTINCT acl.grantee::regrole::text AS role
FROM pg_class AS c
CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
WHERE c.relnamespace = 'public'::regnamespace AND acl.grantee NOT IN (0, c.relowner)
ORDER BY 1
"""
VERSIONS = """
SELECT
    current_setting('server_version_num')::integer / 10000 AS postgresql,
    coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), '') AS timescaledb
"""
MIGRATION = "SELECT number, name FROM nabd_migration ORDER BY number DESC LIMIT 1"
PRE_RESTORE, POST_RESTORE = "SELECT timescaledb_pre_restore()", "SELECT timescaledb_post_restore()"
ANALYSE = "ANALYZE"


async def count(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has, partitions and chunks with their table."""
    tables = [row["relname"] for row in await connection.fetch(TABLES)]
    return {name: await connection.fetchval(f'SELECT count(*) FROM public."{name}"') for name in tables}  # noqa: S608 - names of the catalogue


async def dump(
    dsn: str, snapshot: str, directory: Path, recipient: str, version: int, told: Told
) -> tuple[SealedFile, int]:
    """Dump a snapshot into an encrypted file; return that and the major version of the program that dumped.

    Raises:
        BackupRefused: no program fits, it failed, or the disk is full.
    """
    fitting = programs.fitting(version)
    command = [
        fitting.path("pg_dump"),
        "--format=custom",
        "--no-password",
        f"--dbname={without_password(dsn)}",
    ]
    if snapshot:
        command.append(f"--snapshot={snapshot}")
    return await asyncio.to_thread(_dump, command, dsn, directory, recipient, told), fitting.version


def _dump(command: list[str], dsn: str, directory: Path, recipient: str, told: Told) -> SealedFile:
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(  # noqa: S603 - a program of PostgreSQL and our own address
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment_of(dsn)
        ) as program:
            assert program.stdout is not None
            try:
                made = sealed.seal(program.stdout, directory, NAME, recipient, told)
            except BaseException:
                program.kill()
                raise
        if program.returncode:
            raise BackupRefused(f"pg_dump failed: {last_words(_all_of(said))}")
        return made


async def restore(
    dsn: str,
    directory: Path,
    key: BackupKey,
    *,
    edition: Edition,
    timescaledb: str,
    dumped_by: int,
    rights: bool,
) -> None:
    """Fill an empty database from a dump, in one transaction; after a failure it is empty again.

    Args:
        dsn: the database.
        directory: of the backup.
        key: opens the dump.
        edition: of the dump.
        timescaledb: the version of the extension in the dump.
        dumped_by: the version of pg_dump that made it.
        rights: whether to give the accounts of the server what they could do; they must exist.

    Raises:
        BackupRefused: the dump cannot be opened or does not fit.
    """
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        versions = await connection.fetchrow(VERSIONS)
        assert versions is not None
        fitting = programs.fitting(versions["postgresql"], at_least=dumped_by, name="pg_restore")
        made_extension = edition is Edition.TIMESCALE and not versions["timescaledb"]
        if made_extension:
            await connection.execute(f"CREATE EXTENSION timescaledb VERSION '{timescaledb}'")
    finally:
        await connection.close()
    # Of the extension: it takes effect for sessions that begin after it.
    if edition is Edition.TIMESCALE:
        await _alone(dsn, PRE_RESTORE)
    command = [
        fitting.path("pg_restore"), "--single-transaction", "--exit-on-error", "--no-owner", "--no-password",
        f"--dbname={without_password(dsn)}",
    ]  # fmt: skip
    if not rights:
        command.append("--no-acl")
    try:
        await asyncio.to_thread(_restore, command, dsn, directory, key)
    except BaseException:
        if edition is Edition.TIMESCALE:
            await _alone(dsn, POST_RESTORE)
            if made_extension:
                await _alone(dsn, "DROP EXTENSION timescaledb")
        raise
    if edition is Edition.TIMESCALE:
        await _alone(dsn, POST_RESTORE)
    await _alone(dsn, ANALYSE)


def _restore(command: list[str], dsn: str, directory: Path, key: BackupKey) -> None:
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(  # noqa: S603 - a program of PostgreSQL and our own address
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment_of(dsn)
        ) as program:
            assert program.stdin is not None
            try:
                sealed.open_into(directory, NAME, key, cast(BinaryIO, program.stdin))
            except BaseException:
                program.kill()
                raise
        if program.returncode:
            raise BackupRefused(
                f"pg_restore failed, and the database is as it was: {last_words(_all_of(said))}"
            )


async def _alone(dsn: str, statement: str) -> None:
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def without_password(dsn: str) -> str:
    """Return the address as it may stand on a command line, which everybody on the machine can read."""
    parts = urlsplit(dsn)
    if parts.password is None:
        return dsn
    user, _, where = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{where}"))


def environment_of(dsn: str) -> Mapping[str, str]:
    """Return the environment of a program of PostgreSQL, with the password of an address."""
    password = urlsplit(dsn).password
    own = {"PGAPPNAME": "nabd backup", "PGTZ": "UTC", "LC_ALL": "C"}
    return {**os.environ, **own, **({} if password is None else {"PGPASSWORD": unquote(password)})}


def last_words(said: bytes) -> str:
    """Return the line in which a program says what went wrong."""
    lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line.lower()]
    return (errors or lines or ["it said nothing"])[0]


def _all_of(said: BinaryIO) -> bytes:
    said.seek(0)
    return said.read()
