"""Shows that a backup is good: restores it into a fresh server and compares every table's rows."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from nabd.backup import files, restoring
from nabd.backup.errors import BackupRefused
from nabd.backup.keys import BackupKey
from nabd.backup.manifest import Manifest
from nabd.embedded.postgres import EmbeddedPostgres
from store.edition import Edition

FOR_ONCE = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
"""A server that is thrown away needs to survive nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedBackup:
    """What was compared. took_s: seconds from the empty server to the last row counted."""

    manifest: Manifest
    tables: int
    rows: int
    files: int
    took_s: float


async def verify(
    directory: Path, made: Manifest, key: BackupKey, *, where: Path, into: str = ""
) -> VerifiedBackup:
    """Restore a backup into a fresh server, or into the empty database `into`, and compare counts.

    Args:
        directory: of the backup.
        made: its manifest.
        key: opens it.
        where: a directory with room for the database and for the files, each for a while.
        into: a database in place of a fresh server.

    Raises:
        BackupRefused: it cannot be restored, or has other rows than it says.
    """
    began = time.monotonic()
    async with _somewhere(made, where, into) as dsn:
        found = await restoring.restore_database(dsn, directory, made, key)
        if found.differing:
            said = ", ".join(f"{name} {has:,} of {of:,}" for name, (of, has) in found.differing.items())
            raise BackupRefused(f"{directory} has other rows than it says: {said}; make another backup")
    unpacked = await asyncio.to_thread(_count_files, directory, key, where)
    if unpacked != sum(made.files.values()):
        raise BackupRefused(
            f"{directory} has {unpacked} files of {sum(made.files.values())}; make another backup"
        )
    return VerifiedBackup(
        manifest=made,
        tables=len(made.counts),
        rows=found.rows,
        files=unpacked,
        took_s=time.monotonic() - began,
    )


@asynccontextmanager
async def _somewhere(made: Manifest, where: Path, into: str) -> AsyncIterator[str]:
    """Give an empty database: the one named, or that of a server which is gone afterwards."""
    if into:
        yield into
        return
    if made.edition == Edition.TIMESCALE:
        raise BackupRefused(
            f"the backup is of TimescaleDB {made.timescaledb}, which Nabd does not bring along: name an empty"
            " database of a server that has it, --into postgresql://…"
        )
    directory = await asyncio.to_thread(_room, where)
    try:
        directory.chmod(0o711)  # started by root the server is another user, and passes through
        with EmbeddedPostgres(directory / "postgres", settings=FOR_ONCE) as server:
            yield server.dsn()
    finally:
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)


def _room(where: Path) -> Path:
    try:
        where.mkdir(mode=0o755, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="verifying-", dir=where.absolute()))
    except OSError as error:
        raise BackupRefused(
            f"{where} cannot be written to: {error.strerror}; name another directory by --where"
        ) from error


def _count_files(directory: Path, key: BackupKey, where: Path) -> int:
    place = _room(where)
    try:
        files.unpack(directory, key, place)
        return sum(path.is_file() for path in place.rglob("*"))
    finally:
        shutil.rmtree(place, ignore_errors=True)
