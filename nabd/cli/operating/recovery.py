"""`nabd backup base | recover | drill`: losing minutes instead of what came since the last backup."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from devices.instants import to_datetime
from nabd import clock
from nabd.backup.recovery.base import make_base
from nabd.backup.recovery.drill import drill as run_drill
from nabd.backup.recovery.recover import recover as make_directory
from nabd.cli import output, values
from nabd.cli.operating import options
from nabd.cli.operating.options import Json
from nabd.cli.run import load_settings
from nabd.settings import backup_directory


def base(
    into: Annotated[Path | None, typer.Argument(help="directory of backups; else NABD_BACKUP_DIR")] = None,
    as_json: Json = False,
) -> None:
    """Copy the running server's files; with its archived WAL any later instant can be returned to."""
    settings = load_settings()
    place = into or backup_directory(settings)
    made = options.run(make_base(options.dsn_of(settings), place, to_datetime(clock.wall())))
    if as_json:
        output.print_json(made)
        return
    output.line(f"{made.directory}: {made.bytes / 1e6:,.0f} MB, checked by pg_verifybackup")
    output.line(f"with its archive at most {made.archive_timeout_s} s can be lost; it is not encrypted")


def recover(
    directory: Annotated[Path, typer.Argument(help="a base backup")],
    wal: Annotated[Path, typer.Option(help="directory of the archived WAL")],
    into: Annotated[Path, typer.Option(help="the new data directory; empty, or not there")],
    until: Annotated[
        str | None, typer.Option(help="2h ago as 2h, or an RFC 3339 instant; else the end")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make a data directory that a server starts from as it was at an instant; starts none."""
    wanted = values.instant(until, clock.wall())
    version = options.refused(lambda: make_directory(directory, wal, into, wanted))
    if as_json:
        output.print_json({"directory": into, "postgresql": version, "until": wanted})
        return
    output.line(f"{into} is ready: start PostgreSQL {version} on it, as the user who owns it")
    output.line("it reads the archive, then takes writes; the log says `archive recovery complete`")


def drill(
    archive_timeout: Annotated[int, typer.Option(min=1, help="seconds after which WAL is handed over")] = 10,
    seconds: Annotated[
        float, typer.Option("--for", min=1, help="seconds of readings before the kill")
    ] = 30.0,
    where: Annotated[Path | None, typer.Option(help="directory for the servers of the drill")] = None,
    as_json: Json = False,
) -> None:
    """Kill a server of its own with its disk, bring it back; print what was lost (RPO) and how long (RTO)."""
    directory = Path(tempfile.mkdtemp(prefix="nabd-drill-", dir=where))
    found = options.run(run_drill(directory / "drill", archive_timeout_s=archive_timeout, write_s=seconds))
    directory.rmdir()
    if as_json:
        output.print_json({"passed": found.passed, **options.rounded(found)})
    else:
        output.line(f"RPO {found.rpo_s:.1f} s: the newest reading that came back was so old at the kill")
        output.line(f"RTO {found.rto_s:.1f} s: from the kill until the new server took writes")
        lost = found.committed - found.restored
        said = f"{found.restored:,} of {found.committed:,} readings came back, {lost:,} were too young"
        output.line(
            f"{said}; {found.gaps} gaps; {found.other_tables} other tables, {len(found.differing)} differ"
        )
    if not found.passed:
        raise typer.Exit(1)
