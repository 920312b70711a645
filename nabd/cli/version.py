"""`nabd --version`."""

from __future__ import annotations

from importlib.metadata import version

import typer


def print_version(asked: bool) -> None:
    """Print the version and stop, where it was asked for."""
    if asked:
        typer.echo(f"nabd {version('nabd')}")
        raise typer.Exit
