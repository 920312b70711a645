"""`nabd install systemd`: units and files of an installation that systemd runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nabd.cli import output
from nabd.cli.bench import CHECKOUT
from nabd.systemd.files import NotCheckedOut, installed_files, write
from nabd.systemd.units import PROGRAM

app = typer.Typer(no_args_is_help=True, help="Put the files of an installation where a machine has them.")
NEXT = (
    "systemd-sysusers && systemd-tmpfiles --create",
    "nabd init --layout systemd",
    "the database and its accounts: docs/installation.md",
    "systemctl daemon-reload && systemctl enable --now nabd.target",
)


@app.callback()
def install() -> None:
    """Make a group of what would else be a command alone."""


@app.command()
def systemd(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be written")] = False,
    root: Annotated[Path, typer.Option(help="directory that stands for /")] = Path("/"),
    program: Annotated[str, typer.Option(help="where the command nabd is, once installed")] = PROGRAM,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Write units, their user and the broker's files, after an upgrade again; what is yours in /etc stays."""
    try:
        files = list(installed_files(CHECKOUT / "deploy", program))
        outcomes = write(files, root, dry_run=dry_run)
    except NotCheckedOut as error:
        output.fail(str(error))
    except OSError as error:
        output.fail(f"{error.filename} cannot be written ({error.strerror}): run this as root, or say --root")
    if as_json:
        for one in outcomes:
            output.print_json(one)
        return
    output.table(["file", "would be" if dry_run else "is"], [[one.path, one.outcome] for one in outcomes])
    if not dry_run:
        output.line("next:")
        for step in NEXT:
            output.line(f"  {step}")
