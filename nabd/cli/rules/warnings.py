"""What the commands about rules warn of: nothing is refused for it, and the exit code stays 0."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from devices import kinds
from nabd.cli.database import OpenDatabase
from nabd.cli.database import run as on_database
from nabd.cli.output import complain
from nabd.cli.run import load_settings
from rules.catalogue.blind import warn_of_blind
from rules.catalogue.suppressors import rule_ids, warn_of_unknown
from rules.catalogue.unplaced import asks_for_the_sun, warn_of_unplaced
from rules.definition.definition import Definition
from rules.definition.warning import RuleWarning
from rules.loading.files import default_packs


def warnings_of(definitions: Sequence[Definition]) -> list[RuleWarning]:
    """Return what is to be known about rules before they are applied.

    Other rules and places of devices are known as far as a database is named. One that does not answer is
    said on standard error; files can be checked without.
    """
    declared = kinds.load(load_settings().kinds_dir)
    blind = warn_of_blind(definitions, declared)
    defaults = {d.id for d in default_packs(declared)}
    unknown = warn_of_unknown(definitions, defaults)
    if not load_settings().database or not (unknown or any(asks_for_the_sun(d) for d in definitions)):
        return unknown + blind

    async def work(opened: OpenDatabase) -> list[RuleWarning]:
        stored = await rule_ids(opened.connection)
        return warn_of_unknown(definitions, defaults | stored) + await warn_of_unplaced(
            opened.connection, definitions
        )

    try:
        return on_database(work) + blind
    except typer.Exit:
        return unknown + blind


def warn(warnings: Sequence[RuleWarning]) -> None:
    """Print warnings on standard error, a line each."""
    for warning in warnings:
        complain(f"warning: {warning.rule}: {warning.message}")
