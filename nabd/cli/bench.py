"""`nabd bench`: the commands of folder bench/ of a checkout, which an installed Nabd does not have."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from nabd.cli.output import fail

CHECKOUT = Path(__file__).parents[2]


class _Absent(TyperGroup):
    """Says that there are none, whatever is asked."""

    def parse_args(self, ctx: Any, args: list[str]) -> NoReturn:
        """End the command."""
        fail(
            "benchmarks come with a checkout of Nabd, not with an installed one."
            " In a checkout: make bench, make bench-rules, or .venv/bin/nabd bench"
        )


def of_checkout(checkout: Path = CHECKOUT) -> typer.Typer:
    """Return the benchmarks of a checkout; where there is none, what says so."""
    if (checkout / "bench/cli/__init__.py").is_file():
        if str(checkout) not in sys.path:
            sys.path.append(str(checkout))
        found: typer.Typer = importlib.import_module("bench.cli").app
        return found
    return typer.Typer(cls=_Absent, help="Measure this machine (in a checkout of Nabd only).")


app = of_checkout()
