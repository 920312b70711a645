"""The `nabd` command. Each file here is one command or one group of them; `commands` names them all."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from nabd.cli.commands import CommandGroup
from nabd.cli.version import print_version

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    help="Nabd (نبض): every reading of a smart city committed, watched and acted upon.",
    epilog="Settings are environment variables NABD_*, listed in docs/operations.md.",
    pretty_exceptions_enable=False,
)


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
