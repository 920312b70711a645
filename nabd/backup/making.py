"""Makes a backup: a directory that takes its name when it is whole."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from nabd.backup import database, files, keys, manifest
from nabd.backup.errors import BackupRefused
from nabd.backup.manifest import FORMAT, Manifest
from nabd.backup.sealed import Told
from nabd.settings import Settings
from store.connection import Connection
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.migrate import require_migrated
from store.pool import connect
from store.standing import backups

UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBackup:
    """A backup, where it lies, and whether the database remembers it."""

    directory: Path
    manifest: Manifest
    noted: bool


async def make(
    settings: Settings, dsn: str, into: Path, recipient: str, now: datetime, told: Told
) -> MadeBackup:
    """Write a backup into a new directory below `into`, named by the time; nothing is left of a failed one.

    Raises:
        BackupRefused: the text says why.
        StoreError: the database is away, or of another version.
    """
    keys.recipient(recipient)
    whole = into / f"nabd-{now:%Y%m%dT%H%M%SZ}"
    unfinished = whole.with_name(whole.name + UNFINISHED)
    if whole.exists():
        raise BackupRefused(f"{whole} exists: a backup was made within this second; do so again")
    try:
        unfinished.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise BackupRefused(f"{unfinished} exists: another backup is being made; else remove it") from None
    except OSError as error:
        raise BackupRefused(
            f"{into} cannot be written to: {error.strerror}; name another directory"
        ) from error
    try:
        written = await _write(settings, dsn, unfinished, recipient, now, told)
        unfinished.rename(whole)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return MadeBackup(directory=whole, manifest=written, noted=await _noted(dsn, written))


async def _noted(dsn: str, made: Manifest) -> bool:
    try:
        connection = await connect(dsn)
        try:
            await backups.note_made(connection, made.remembered)
        finally:
            await connection.close()
    except (StoreError, *DATABASE_ERRORS):
        return False  # the backup is whole, whether or not the database remembers it
    return True


async def _write(
    settings: Settings, dsn: str, directory: Path, recipient: str, now: datetime, told: Told
) -> Manifest:
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        edition = await require_migrated(connection)
        # What is counted is what is dumped, whatever devices say meanwhile.
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval(database.SNAPSHOT)
            seen = await _seen(connection)
            dumped, dumped_by = await database.dump(
                dsn, snapshot, directory, recipient, seen.postgresql, told
            )
    finally:
        await connection.close()
    packed, counts = await asyncio.to_thread(files.pack, settings, directory, recipient, told)
    made = Manifest(
        format=FORMAT,
        id=uuid4(),
        made_at=now,
        nabd=version("nabd"),
        edition=edition,
        timescaledb=seen.timescaledb,
        postgresql=seen.postgresql,
        dumped_by=dumped_by,
        migration=seen.migration,
        migration_name=seen.migration_name,
        counts=seen.counts,
        files=counts,
        roles=list(seen.roles),
        recipient=recipient,
        sealed=[dumped, packed],
    )
    manifest.write(made, directory)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    postgresql: int
    timescaledb: str
    migration: int
    migration_name: str
    counts: dict[str, int]
    roles: tuple[str, ...]


async def _seen(connection: Connection) -> _Seen:
    versions = await connection.fetchrow(database.VERSIONS)
    last = await connection.fetchrow(database.MIGRATION)
    assert versions is not None
    assert last is not None
    return _Seen(
        postgresql=versions["postgresql"],
        timescaledb=versions["timescaledb"],
        migration=last["number"],
        migration_name=last["name"],
        counts=await database.count(connection),
        roles=tuple(row["role"] for row in await connection.fetch(database.ROLES)),
    )
