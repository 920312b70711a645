"""`nabd report`: the week's work as one page to be printed, and who gets it by e-mail."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from devices.instants import to_datetime
from devices.texts.languages import Language
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from work.figures.span import read_week
from work.weekly.page import page_of
from work.weekly.paper import pdf_of
from work.weekly.reading import read_report

app = typer.Typer(no_args_is_help=True, help="Print the week's work, and say who gets it by e-mail.")


@app.command()
def weekly(
    municipality: Annotated[str, typer.Option(help="of this municipality")],
    week: Annotated[
        str | None, typer.Option(help="for example 2026-W48; without it the last one that is over")
    ] = None,
    lang: Annotated[Language, typer.Option(help="language of the page")] = "en",
    to: Annotated[Path | None, typer.Option("--output", help="write it to this file")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="as PDF; needs WeasyPrint: the extra nabd[pdf]")] = False,
) -> None:
    """Print the report of a week: one HTML page for A4, with nothing in it that is fetched."""
    monday = _monday(week)

    async def work(opened: OpenDatabase) -> bytes:
        now = to_datetime(opened.now())
        found = await read_report(opened.connection, municipality, monday, now, named=True)
        page = page_of(found, lang)
        return pdf_of(page) if pdf else page.encode()

    made = run(work)
    if to is None:
        sys.stdout.buffer.write(made)
        return
    try:
        to.write_bytes(made)
    except OSError as error:
        output.fail(f"{to} cannot be written: {error.strerror or error}")


def _monday(week: str | None) -> date | None:
    try:
        return read_week(week) if week is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--week") from None
