"""`nabd watch`: alert rules for the platform itself, for a Prometheus or a Grafana that watches it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nabd.cli import output
from nabd.watching import grafana, prometheus
from nabd.watching.rules import RULES

app = typer.Typer(no_args_is_help=True, help="Alert rules for the platform itself, for who watches it.")

DIRECTORY = Path("deploy")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object a line")] = False,
) -> None:
    """List the rules: when each fires, how urgent it is, where it says what to do."""
    if as_json:
        for rule in RULES:
            output.print_json({**asdict(rule), "expression": rule.expression, "runbook": rule.runbook})
        return
    output.table(
        ("rule", "urgency", "fires when", "for", "means"),
        [(r.name, r.urgency, r.expression, f"{r.minutes} min", r.summary) for r in RULES],
    )


@app.command()
def render(
    directory: Annotated[Path, typer.Option(help="where prometheus/ and grafana/ are")] = DIRECTORY,
    check: Annotated[
        bool, typer.Option("--check", help="write nothing; exit with 1 when a file is not current")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Write the rules as Prometheus and as Grafana read them."""
    wanted = {
        directory / prometheus.PATH: prometheus.text(RULES),
        directory / grafana.PATH: grafana.text(RULES),
    }
    changed = [file for file, text in wanted.items() if not file.exists() or file.read_text("utf-8") != text]
    if not check:
        for file in changed:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(wanted[file], encoding="utf-8")
    if as_json:
        output.print_json({"rules": len(RULES), "changed": changed})
    else:
        for file in changed:
            output.line(f"{'not current: ' if check else ''}{file}")
        output.line(f"{len(RULES)} rules, {len(changed)} files {'not current' if check else 'written'}")
    if check and changed:
        output.fail(f"run `nabd watch render --directory {directory}`")
