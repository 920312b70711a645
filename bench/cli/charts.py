"""`nabd bench charts`: pictures of what was measured, for a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench import CHECKOUT
from bench.charts.pictures import pictures
from bench.results import files
from nabd.cli.output import fail, line


def charts(
    file: Annotated[list[Path], typer.Argument(help="lines of `nabd bench ingest --json`")],
    into: Annotated[Path, typer.Option(help="folder to write to")] = CHECKOUT / "docs" / "images",
) -> None:
    """Draw CPU, rates, latencies and fleets as SVG, for as much of it as was measured.

    What several lines have is drawn together, by traffic and rules. The same lines give the same pictures.
    """
    try:
        drawn = pictures([one for name in file for one in files.read(name)])
    except files.NotComparable as error:
        fail(str(error))
    if not drawn:
        fail("nothing to draw: no stage was measured that a picture is of")
    into.mkdir(parents=True, exist_ok=True)
    for name, text in drawn.items():
        (into / name).write_text(text, encoding="utf-8", newline="\n")
        line(str(into / name))
