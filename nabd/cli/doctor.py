"""`nabd doctor`: what is wrong with this installation and how to mend it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from nabd import doctor as doctors
from nabd.cli.output import print_json, table
from nabd.cli.run import load_settings
from nabd.doctor import Verdict


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """Look for trouble: kinds, disk, broker, database, ingest, ledger, rules. Exits with 1 on any."""
    findings = asyncio.run(doctors.examine(load_settings()))
    if as_json:
        for finding in findings:
            print_json(finding)
    else:
        table(
            ["subject", "verdict", "what was found", "what to do"],
            [[f.subject, f.verdict, f.said, f.fix] for f in findings],
        )
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(1)
