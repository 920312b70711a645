"""`nabd config`: what the settings of this machine are, and who says so."""

from __future__ import annotations

from typing import Annotated

import typer

from nabd.cli import output
from nabd.cli.run import load_settings
from nabd.configuration.origin import DEFAULT, origins_of
from nabd.settings import RUNNING

app = typer.Typer(no_args_is_help=True, help="What the settings of this machine are, and who says so.")


@app.callback()
def config() -> None:
    """Make a group of what would else be a command alone."""


@app.command()
def show(
    origin: Annotated[
        bool, typer.Option("--origin", help="also where each value is from: environment, file, default")
    ] = False,
    changed: Annotated[bool, typer.Option("--changed", help="only what somebody has said")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Show every setting as a process started here would have it; passwords and tokens are hidden."""
    found = origins_of(load_settings(), RUNNING)
    if changed:
        found = [one for one in found if one.origin != DEFAULT]
    if as_json:
        for one in found:
            output.print_json(one)
        return
    columns = ["setting", "value", *(["from"] if origin else [])]
    rows = [[one.name, one.value, *([one.origin] if origin else [])] for one in found]
    output.table(columns, rows, empty="Nobody has said anything: every setting is at its default.")
