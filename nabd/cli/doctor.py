"""`nabd doctor`: what is wrong with this installation and how to mend it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from nabd import doctor
from nabd.cli.output import print_json, table
from nabd.cli.run import load_settings
from nabd.doctor import Verdict


def show(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Look for trouble: kinds, disk, broker, database, ingest, its session, ledger, rules; exit 1 on any."""
    checks = asyncio.run(doctor.examine(load_settings()))
    if as_json:
        for check in checks:
            print_json(check)
    else:
        table(
            ["subject", "verdict", "what was found", "what to do"],
            [[c.subject, c.verdict, c.said, c.fix] for c in checks],
        )
    if any(check.verdict is Verdict.BAD for check in checks):
        raise typer.Exit(1)
