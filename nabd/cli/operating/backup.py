"""`nabd backup`: keys, backups, base backups, and the drill that shows what they are worth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from devices.instants import to_datetime
from nabd import clock
from nabd.backup import keys, making, manifest
from nabd.backup.errors import BackupRefused
from nabd.cli import output
from nabd.cli.operating import options, recovery
from nabd.cli.operating.options import Json
from nabd.cli.run import load_settings
from nabd.settings import backup_directory

app = typer.Typer(no_args_is_help=True, help="Back up, encrypted; `nabd restore` brings it back.")
for command in (recovery.base, recovery.recover, recovery.drill):
    app.command()(command)


@app.command()
def key(
    file: Annotated[Path, typer.Argument(help="where to write the key; keep a copy away from this machine")],
    passphrase: Annotated[
        bool, typer.Option(help="encrypt the file; asked for, or NABD_BACKUP_PASSPHRASE")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a key of age, and print its public half for NABD_BACKUP_KEY; never overwrites one."""
    words = options.new_passphrase() if passphrase else ""
    made = keys.make_key()
    options.refused(lambda: keys.write_key(made, file, to_datetime(clock.wall()), words=words))
    if as_json:
        output.print_json({"file": file, "public_key": made.recipient, "encrypted": passphrase})
        return
    output.line(f"public key: {made.recipient}")
    output.line(
        f"NABD_BACKUP_KEY={made.recipient} makes backups; only {file} opens them: keep it elsewhere too"
    )


@app.command()
def make(
    into: Annotated[Path | None, typer.Argument(help="directory of backups; else NABD_BACKUP_DIR")] = None,
    for_key: Annotated[
        str | None, typer.Option("--key", help="public key or key file; else NABD_BACKUP_KEY")
    ] = None,
    as_json: Json = False,
) -> None:
    """Back up the database, photos, heads of the audit and settings, while everything runs."""
    settings = load_settings()
    said = for_key or settings.backup_key
    if not said:
        output.fail(
            "backups are encrypted: make a key by `nabd backup key FILE`, and name it in NABD_BACKUP_KEY"
        )
    recipient = options.refused(lambda: keys.recipient_of(said))
    place = into or backup_directory(settings)
    with options.told() as told:
        work = making.make(
            settings, options.dsn_of(settings), place, recipient, to_datetime(clock.wall()), told
        )
        made = options.run(work)
    if as_json:
        output.print_json({"directory": made.directory, "noted": made.noted, **_shown(made.manifest)})
        return
    found = made.manifest
    output.line(
        f"{made.directory}: {found.rows:,} rows of {len(found.counts)} tables, {found.bytes / 1e6:,.1f} MB"
    )
    if not made.noted:
        output.complain(
            "the database did not remember it: `nabd doctor` and /metrics say that the last is older"
        )
    output.line("try it before you need it: nabd restore --verify " + str(made.directory))


@app.command()
def show(
    directory: Annotated[Path, typer.Argument(help="a backup")],
    tables: Annotated[bool, typer.Option(help="with the rows of each table")] = False,
    as_json: Json = False,
) -> None:
    """Say what is in a backup and for which key it is; needs no key."""
    found = options.refused(lambda: manifest.read(directory))
    if as_json:
        output.print_json({**_shown(found), **({"counts": found.counts} if tables else {})})
        return
    output.table(("what", "is"), [(name, _cell(value)) for name, value in _shown(found).items()])
    if tables:
        output.table(("table", "rows"), [(name, f"{rows:,}") for name, rows in found.counts.items()])


@app.command("list")
def list_(
    place: Annotated[Path | None, typer.Argument(help="directory of backups; else NABD_BACKUP_DIR")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """List the backups of a directory, the newest first; what is cut says so."""
    where = place or backup_directory(load_settings())
    found = sorted((one for one in where.glob("nabd-*") if one.is_dir()), reverse=True)
    rows = [_line(one) for one in found]
    if as_json:
        for row in rows:
            output.print_json(row)
        return
    output.table(
        ("backup", "made", "rows", "MB", "by Nabd", "remark"),
        [
            (
                r["directory"],
                r.get("made_at"),
                r.get("rows"),
                r.get("megabytes"),
                r.get("nabd"),
                r.get("remark"),
            )
            for r in rows
        ],
        empty=f"There are no backups in {where}: `nabd backup make` makes one.",
    )


def _line(directory: Path) -> dict[str, object]:
    try:
        found = manifest.read(directory)
    except BackupRefused as refusal:
        return {"directory": directory, "remark": str(refusal)}
    return {
        "directory": directory,
        "made_at": found.made_at,
        "rows": found.rows,
        "megabytes": round(found.bytes / 1e6, 1),
        "nabd": found.nabd,
    }


def _shown(found: manifest.Manifest) -> dict[str, object]:
    return {
        "id": found.id,
        "made_at": found.made_at,
        "nabd": found.nabd,
        "migration": f"{found.migration:04}_{found.migration_name}",
        "edition": found.edition,
        "timescaledb": found.timescaledb or None,
        "postgresql": found.postgresql,
        "tables": len(found.counts),
        "rows": found.rows,
        "bytes": found.bytes,
        "files": found.files,
        "accounts": found.roles,
        "public_key": found.recipient,
    }


def _cell(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value
