"""Base backups: a copy of the running server's files, from which archived WAL leads to any later instant.

They are as PostgreSQL writes them, checked by its own pg_verifybackup, and not encrypted: the disk must be.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg

from nabd.backup import programs
from nabd.backup.database import environment_of, last_words, without_password
from nabd.backup.errors import BackupRefused
from nabd.backup.programs import PostgresPrograms
from store.pool import connect

MOST_LOST_S = 300
"""PostgreSQL hands over a segment at least so often, or more than five minutes can be lost."""
UNFINISHED = ".unfinished"

_ARCHIVING = """
SELECT
    current_setting('server_version_num')::integer / 10000 AS version,
    current_setting('archive_mode') AS mode,
    current_setting('archive_command') AS command,
    (SELECT setting::integer FROM pg_settings WHERE name = 'archive_timeout') AS timeout_s,
    a.last_failed_wal,
    coalesce(a.last_failed_time > coalesce(a.last_archived_time, '-infinity'), false) AS failing
FROM pg_stat_archiver AS a
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseBackup:
    """A base backup and how much could be lost after it."""

    directory: Path
    bytes: int
    archive_timeout_s: int


async def make_base(dsn: str, into: Path, now: datetime, *, most_lost_s: int = MOST_LOST_S) -> BaseBackup:
    """Copy the running server into a new directory below `into`; nothing is left of a failed one.

    Raises:
        BackupRefused: the server archives nothing, too seldom, or fails at it; or the copy failed.
    """
    connection = await connect(dsn)
    try:
        archiving = await connection.fetchrow(_ARCHIVING)
    finally:
        await connection.close()
    assert archiving is not None
    _refuse_unarchived(archiving, most_lost_s)
    fitting = programs.fitting(archiving["version"], name="pg_basebackup")
    whole = into / f"base-{now:%Y%m%dT%H%M%SZ}"
    if whole.exists():
        raise BackupRefused(f"{whole} exists: do so again in a second")
    await asyncio.to_thread(_copy, fitting, dsn, whole)
    size = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file())
    return BaseBackup(directory=whole, bytes=size, archive_timeout_s=archiving["timeout_s"])


def _refuse_unarchived(archiving: asyncpg.Record, most_lost_s: int) -> None:
    fix = "archive_mode = on, archive_command, archive_timeout = 300 and a restart of the server"
    if archiving["mode"] == "off" or not archiving["command"].strip("()"):
        raise BackupRefused(
            f"the server archives no WAL, so that all since this copy would be lost: {fix}; docs/backup.md"
        )
    if not 0 < archiving["timeout_s"] <= most_lost_s:
        raise BackupRefused(
            f"archive_timeout is {archiving['timeout_s']} s: over {most_lost_s} s could be lost, with 0 all;"
            " set it to 300 or less, and reload the server"
        )
    if archiving["failing"]:
        raise BackupRefused(
            f"archive_command fails, last for {archiving['last_failed_wal']}: see the server's log first"
        )


def _copy(fitting: PostgresPrograms, dsn: str, whole: Path) -> None:
    unfinished = whole.with_name(whole.name + UNFINISHED)
    try:
        unfinished.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        call(
            fitting.path("pg_basebackup"), f"--pgdata={unfinished}", "--checkpoint=fast", "--no-password",
            "--wal-method=stream", f"--dbname={without_password(dsn)}", dsn=dsn,
        )  # fmt: skip
        call(fitting.path("pg_verifybackup"), "--quiet", str(unfinished))
        unfinished.rename(whole)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def call(program: str, *arguments: str, dsn: str = "") -> None:
    """Run a program of PostgreSQL.

    Raises:
        BackupRefused: it failed; the text is its own.
    """
    done = subprocess.run(  # noqa: S603 - a program of PostgreSQL, with our own arguments
        [program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        env=environment_of(dsn), check=False,
    )  # fmt: skip
    if done.returncode:
        raise BackupRefused(f"{Path(program).name} failed: {last_words(done.stderr)}")
