"""`nabd rule`: check rule files, put them into force, list what is in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from devices import kinds
from nabd.cli.database import Opened
from nabd.cli.database import run as on_database
from nabd.cli.output import complain, line, print_json, table
from nabd.cli.run import load_settings
from rules import catalogue
from rules.catalogue import Active, Applied
from rules.definition import Definition
from rules.errors import RulesRefused
from rules.files import read_files

app = typer.Typer(no_args_is_help=True, help="Check, apply and list rules.")

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="rule files in YAML")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
def check(files: Files) -> None:
    """Say what is wrong in rule files, with line and suggestion. Exits with 1 when anything is."""
    found = _read(files)
    line(f"{len(found)} rules, nothing wrong")


@app.command()
def apply(
    files: Files,
    only: Annotated[bool, typer.Option("--only", help="take every other rule out of force")] = False,
    as_json: Json = False,
) -> None:
    """Put rule files into force, all or none; running processes take them with the next batch."""
    definitions = _read(files)

    async def work(opened: Opened) -> Applied:
        return await catalogue.apply(opened.connection, definitions, opened.now(), remove_others=only)

    applied = on_database(work)
    if as_json:
        print_json(applied)
        return
    for name in ("added", "changed", "unchanged", "removed"):
        if ids := getattr(applied, name):
            line(f"{name}: {', '.join(ids)}")


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the rules in force, broken ones with the reason."""

    async def work(opened: Opened) -> Active:
        return await catalogue.active(opened.connection, opened.kinds)

    active = on_database(work)
    rows = [
        [r.id, r.version, r.definition.kind or "any", "in force", r.definition.summary["en"]]
        for r in active.rules
    ]
    rows += [[id_, "", "", "broken", reason] for id_, reason in active.broken.items()]
    if as_json:
        for row in rows:
            print_json(dict(zip(("id", "version", "kind", "state", "summary"), row, strict=True)))
        return
    table(
        ["rule", "version", "kind", "state", "summary"],
        rows,
        empty="no rules are in force: `nabd migrate` brings the defaults",
    )


def _read(files: list[Path]) -> list[Definition]:
    try:
        return read_files(files, kinds.load(load_settings().kinds_dir))
    except RulesRefused as refused:
        complain(str(refused))
        raise typer.Exit(1) from refused
