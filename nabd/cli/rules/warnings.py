"""What the commands about rules warn of: nothing is refused for it, and the exit code stays 0."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from nabd.cli.database import OpenDatabase
from nabd.cli.database import run as on_database
from nabd.cli.output import complain
from nabd.cli.run import load_settings
from rules.catalogue.unplaced import RuleWarning, asks_for_the_sun, warn_of_unplaced
from rules.definition.definition import Definition


def warnings_of(definitions: Sequence[Definition]) -> list[RuleWarning]:
    """Return what is to be known about rules before they are applied, as far as a database is named for it.

    One that does not answer is said on standard error; files can be checked without.
    """
    if not load_settings().database or not any(asks_for_the_sun(d) for d in definitions):
        return []

    async def work(opened: OpenDatabase) -> list[RuleWarning]:
        return await warn_of_unplaced(opened.connection, definitions)

    try:
        return on_database(work)
    except typer.Exit:
        return []


def warn(warnings: Sequence[RuleWarning]) -> None:
    """Print warnings on standard error, a line each."""
    for warning in warnings:
        complain(f"warning: {warning.rule}: {warning.message}")
