"""`nabd bench`: the commands of folder bench/ of a checkout, which an installed Nabd does not have."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import typer

from nabd.cli.output import fail

CHECKOUT = Path(__file__).parents[2]


def add_to(app: typer.Typer, checkout: Path = CHECKOUT) -> None:
    """Add the benchmarks of a checkout; where there is none, a command that says so."""
    if (checkout / "bench/cli/__init__.py").is_file():
        if str(checkout) not in sys.path:
            sys.path.append(str(checkout))
        app.add_typer(importlib.import_module("bench.cli").app, name="bench")
    else:
        anything = {"allow_extra_args": True, "ignore_unknown_options": True}
        app.command("bench", context_settings=anything)(_absent)


def _absent() -> None:
    """Measure this machine (in a checkout of Nabd only)."""
    fail(
        "benchmarks come with a checkout of Nabd, not with an installed one."
        " In a checkout: make bench, make bench-rules, or .venv/bin/nabd bench"
    )
