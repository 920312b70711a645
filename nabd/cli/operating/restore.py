"""`nabd restore`: bring a backup back, or show in a fresh server that it could be."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from devices.instants import to_datetime
from nabd import clock
from nabd.accounts.grants import Account
from nabd.backup import restoring, verifying
from nabd.backup.errors import BackupRefused, StagedFilesLeft
from nabd.backup.keys import BackupKey
from nabd.backup.restoring import RestoredBackup
from nabd.backup.sealed import Told
from nabd.backup.verifying import VerifiedBackup
from nabd.cli import output
from nabd.cli.operating import options
from nabd.cli.operating.options import Json, KeyFile
from nabd.cli.run import load_settings
from nabd.embedded.postgres import EmbeddedPostgres
from nabd.settings import Settings
from store.errors import StoreError
from store.failures import DATABASE_ERRORS
from store.pool import connect
from store.standing import backups


def restore(
    directory: Annotated[Path, typer.Argument(help="a backup: the directory that `nabd backup make` made")],
    key: KeyFile = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="restore into a fresh server only, and compare the rows")
    ] = False,
    into: Annotated[
        str | None, typer.Option(help="with --verify: an empty database (DSN) in place of a fresh server")
    ] = None,
    where: Annotated[
        Path | None, typer.Option(help="with --verify: a directory with room for all; else NABD_DATA_DIR")
    ] = None,
    files_to: Annotated[
        Path | None,
        typer.Option(help="where settings and other files are put; else restored in NABD_DATA_DIR"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Restore a backup into the empty database of NABD_DATABASE, or an embedded one, and its files."""
    settings = load_settings()
    if into and not verify:
        raise typer.BadParameter(
            "goes with --verify; name the database in NABD_DATABASE", param_hint="--into"
        )
    if where and not verify:
        raise typer.BadParameter("goes with --verify; see NABD_DATA_DIR", param_hint="--where")
    with options.told() as told:
        if verify:
            verified, noted = options.run(
                _verify(settings, directory, key, where or settings.data_dir, into or "", told)
            )
            _print_verified(directory, verified, noted, as_json)
            return
        others = files_to or settings.data_dir / "restored"
        restored = options.run(_restore(settings, directory, key, others, told))
    _print_restored(restored, as_json)
    if restored.differing:
        raise typer.Exit(1)


async def _verify(
    settings: Settings, directory: Path, key: Path | None, where: Path, into: str, told: Told
) -> tuple[VerifiedBackup, bool]:
    made = await asyncio.to_thread(restoring.looked_through, directory, told)
    opened = options.private_key(key, settings)
    found = await verifying.verify(directory, made, opened, where=where, into=into)
    if not settings.database:
        return found, False
    try:
        connection = await connect(settings.database)
        try:
            await backups.note_verified(connection, made.remembered, to_datetime(clock.wall()), found.took_s)
        finally:
            await connection.close()
    except (StoreError, *DATABASE_ERRORS):
        return found, False  # the backup is good, whether or not there is a database to remember it
    return found, True


async def _restore(
    settings: Settings, directory: Path, key: Path | None, others: Path, told: Told
) -> RestoredBackup:
    def opened() -> BackupKey:
        return options.private_key(key, settings)

    if settings.database is not None:
        return await restoring.restore(settings, settings.database, directory, opened, others, told)
    place = settings.data_dir / "postgres"
    if place.exists():
        raise BackupRefused(
            f"{place} exists, and a restore overwrites nothing: name another NABD_DATA_DIR, or a database"
        )
    server = EmbeddedPostgres(place)
    try:
        dsn = await asyncio.to_thread(server.start)
        restored = await restoring.restore(settings, dsn, directory, opened, others, told)
    except StagedFilesLeft:
        await asyncio.to_thread(server.stop)  # what it holds is whole
        raise
    except BaseException:
        await asyncio.to_thread(server.delete)
        raise
    await asyncio.to_thread(server.stop)
    return restored


def _print_verified(directory: Path, found: VerifiedBackup, noted: bool, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "verified": True,
                "made_at": found.manifest.made_at,
                "tables": found.tables,
                "rows": found.rows,
                "files": found.files,
                "took_s": round(found.took_s, 1),
                "noted": noted,
            }
        )
        return
    said = (
        f"{directory} is good: {found.rows:,} rows of {found.tables} tables and {found.files} files came back"
    )
    output.line(f"{said} in {found.took_s:.0f} s")
    if not noted:
        output.line("no database was told of it: with NABD_DATABASE set `nabd doctor` knows when that was")


def _print_restored(found: RestoredBackup, as_json: bool) -> None:
    if as_json:
        output.print_json(
            {
                "made_at": found.manifest.made_at,
                "tables": len(found.manifest.counts),
                "rows": found.rows,
                "differing": found.differing,
                "files": found.placed,
                "missing_accounts": found.missing_roles,
            }
        )
        return
    output.line(f"{found.rows:,} rows of {len(found.manifest.counts)} tables are back")
    for name, (of, has) in found.differing.items():
        output.complain(f"{name} has {has:,} rows, the backup had {of:,}: keep the backup and report this")
    for name, place in found.placed.items():
        output.line(f"{name}: {place}")
    if found.missing_roles:
        output.line(
            f"accounts that this server lacks were not given their rights: {', '.join(found.missing_roles)};"
            " `nabd store accounts` makes those of processes, docs/grafana.md says how Grafana's is made"
        )
    own = {account.role for account in Account}
    accounts = "nabd store accounts as a superuser, " if own & set(found.manifest.roles) else ""
    output.line(f"now: {accounts}nabd migrate, then start the processes")
