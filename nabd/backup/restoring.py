"""Restores a backup: all is looked at before anything is written, and a failure leaves all as it was."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from nabd.backup import database, files, manifest, sealed
from nabd.backup.errors import BackupRefused, StagedFilesLeft
from nabd.backup.keys import BackupKey
from nabd.backup.manifest import Manifest
from nabd.backup.sealed import Told
from nabd.settings import Settings
from store.connection import Connection
from store.edition import Edition
from store.pool import connect, name_of
from store.versions import load

IN_THE_WAY = """
SELECT count(*) FROM pg_class AS c
WHERE
    c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
    AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
OFFERED = """
SELECT
    current_setting('server_version_num')::integer / 10000 AS postgresql,
    EXISTS (
        SELECT FROM pg_available_extension_versions WHERE name = 'timescaledb' AND version = $1
    ) AS timescaledb,
    coalesce((SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'), '') AS installed
"""
MISSING_ROLES = """
SELECT asked.role FROM unnest($1::text []) AS asked (role) WHERE to_regrole(asked.role) IS NULL ORDER BY 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoredBackup:
    """What a restore has brought back.

    differing: tables that have not as many rows as the backup says, with both numbers. placed: where files
    lie. missing_roles: accounts that do not exist on this server; then no account was given its rights.
    """

    manifest: Manifest
    rows: int
    differing: dict[str, tuple[int, int]]
    placed: dict[str, str]
    missing_roles: list[str]


def looked_through(directory: Path, told: Told) -> Manifest:
    """Return the manifest of a backup that is whole and that this program can read; needs no key.

    Raises:
        BackupRefused: it is cut, altered, or of a newer version.
    """
    made = manifest.read(directory)
    newest = load()[-1]
    if made.migration > newest.number:
        raise BackupRefused(
            f"{directory} has migration {made.migration:04}_{made.migration_name}, this program ends at"
            f" {newest}: install Nabd {made.nabd} or later"
        )
    for one in made.sealed:
        sealed.check(directory, one, told)
    return made


async def restore_database(dsn: str, directory: Path, made: Manifest, key: BackupKey) -> RestoredBackup:
    """Fill an empty database from a backup, and count what it has then.

    Raises:
        BackupRefused: the database is not empty or does not fit, or the key is another.
    """
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        missing = await _fits(connection, dsn, made)
    finally:
        await connection.close()
    edition = Edition(made.edition)
    await database.restore(
        dsn, directory, key, edition=edition, timescaledb=made.timescaledb, dumped_by=made.dumped_by,
        rights=not missing,
    )  # fmt: skip
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        counts = await database.count(connection)
    finally:
        await connection.close()
    names = sorted(made.counts.keys() | counts.keys())
    differing = {
        name: (made.counts.get(name, 0), counts.get(name, 0))
        for name in names
        if made.counts.get(name) != counts.get(name)
    }
    return RestoredBackup(
        manifest=made, rows=sum(counts.values()), differing=differing, placed={}, missing_roles=missing
    )


async def restore(
    settings: Settings, dsn: str, directory: Path, key: Callable[[], BackupKey], others: Path, told: Told
) -> RestoredBackup:
    """Restore everything: the database, and files beside it.

    Args:
        settings: where photos and heads of the audit belong.
        dsn: an empty database.
        directory: of the backup.
        key: asked for once the backup is known to be whole.
        others: a directory for settings and files that an administrator puts in place.
        told: hears of progress.

    Raises:
        BackupRefused: the text says why; nothing was changed.
        StagedFilesLeft: the database is filled, and some files lie where they were unpacked.
    """
    made = await asyncio.to_thread(looked_through, directory, told)
    files.refuse_unfit(settings, others, made.files)
    opened = key()
    staged = settings.data_dir.absolute() / f"restoring-{uuid4().hex[:8]}"
    try:
        staged.mkdir(mode=0o700, parents=True)
    except OSError as error:
        raise BackupRefused(
            f"{staged.parent} cannot be written to: {error.strerror}; see NABD_DATA_DIR"
        ) from error
    try:
        await asyncio.to_thread(files.unpack, directory, opened, staged)
        found = await restore_database(dsn, directory, made, opened)
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    try:
        placed = await asyncio.to_thread(files.put_in_place, staged, settings, others)
    except OSError as error:
        raise StagedFilesLeft(
            f"the database is back, and not every file is in its place: {error}; those that are not lie in"
            f" {staged}: move them from there by hand"
        ) from error
    shutil.rmtree(staged, ignore_errors=True)
    return RestoredBackup(
        manifest=made,
        rows=found.rows,
        differing=found.differing,
        placed=placed,
        missing_roles=found.missing_roles,
    )


async def _fits(connection: Connection, dsn: str, made: Manifest) -> list[str]:
    """Refuse a database that this backup cannot fill; return which accounts it lacks."""
    there = await connection.fetchval(IN_THE_WAY)
    if there:
        raise BackupRefused(
            f"{name_of(dsn)} is not empty, it has {there} tables and views: make another"
            " (`CREATE DATABASE`) and name it in NABD_DATABASE"
        )
    offered = await connection.fetchrow(OFFERED, made.timescaledb)
    assert offered is not None
    if offered["postgresql"] < made.postgresql:
        raise BackupRefused(
            f"{name_of(dsn)} is PostgreSQL {offered['postgresql']}, the backup of {made.postgresql}:"
            " restore into that version or a newer one"
        )
    fits = offered["installed"] in ("", made.timescaledb) and offered["timescaledb"]
    if made.edition == Edition.TIMESCALE and not fits:
        has = offered["installed"] or "not this version"
        raise BackupRefused(
            f"the backup is of TimescaleDB {made.timescaledb}, {name_of(dsn)} has {has}:"
            " restore into a server with exactly that version, and upgrade it afterwards"
        )
    return [row["role"] for row in await connection.fetch(MISSING_ROLES, made.roles)]
