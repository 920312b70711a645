"""`nabd bench compare`: whether one version is faster than another, from paired runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.results import files
from bench.results.compare import FigureComparison
from bench.results.compare import compare as compared
from nabd.cli.output import fail, line, print_json, table


def compare(
    before: Annotated[Path, typer.Argument(help="lines of `nabd bench ingest --json`")],
    after: Annotated[Path, typer.Argument(help="the same of the other version, as many lines")],
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Every figure of two versions, pair by pair: the ratio, its spread, and what that shows.

    The first line of one file belongs to the first of the other, and so on; of a line the medians count.
    Where both files have one line, its runs are the pairs. A difference is said where the exact signed-rank
    test finds one at 5 %, which takes six unequal pairs, and 1 is outside the interval. Exits with 1 where
    other messages, rules, devices or machines were measured, or readings were lost.
    """
    try:
        found = compared(files.read(before), files.read(after))
    except files.NotComparable as error:
        fail(str(error))
    if as_json:
        print_json(found)
        return
    line(f"before {found.before}, after {found.after}, pairs: {found.pairs}; ratios are after / before")
    table(
        ["", "", "before", "after", "ratio", "spread", "95 % interval", ""],
        [_row(one) for one in found.figures],
    )
    for note in found.notes:
        line(note)


def _row(one: FigureComparison) -> tuple[str, ...]:
    return (
        one.figure,
        one.unit,
        f"{one.before:,.{_digits(one.before)}f}",
        f"{one.after:,.{_digits(one.before)}f}",
        f"{one.ratio:.3f}",
        _span(one.spread),
        _span(one.interval),
        one.verdict,
    )


def _digits(value: float) -> int:
    return 0 if value >= 1000 else 1 if value >= 20 else 2


def _span(bounds: tuple[float, float] | None) -> str:
    return "" if bounds is None else f"{bounds[0]:.3f} .. {bounds[1]:.3f}"
