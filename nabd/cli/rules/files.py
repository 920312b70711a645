"""Options and arguments of the commands about rules: files, authors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from devices import kinds
from devices.kinds.kind import KindError
from nabd.cli.output import fail
from nabd.cli.run import load_settings
from rules.definition.definition import Definition
from rules.definition.errors import RulesRefused
from rules.loading.files import read_files

Files = Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="rule files in YAML")]
RuleId = Annotated[str, typer.Argument(help="the rule's id")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Author = Annotated[str, typer.Option("--author", envvar="USER", help="who does it, for the history")]


def read(files: list[Path]) -> list[Definition]:
    """Return the definitions of files, or print every mistake in them and exit with 1."""
    try:
        return read_files(files, kinds.load(load_settings().kinds_dir))
    except (KindError, RulesRefused) as refused:
        fail(str(refused))
