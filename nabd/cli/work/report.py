"""`nabd report`: the week's work as one page to be printed, and who gets it by e-mail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from devices.instants import to_datetime
from devices.texts.languages import Language
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from notify.notices import subscriptions
from notify.notices.subscriptions import ReportSubscription
from notify.outbox.planned import NoticeTopic
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
    pdf: Annotated[bool, typer.Option("--pdf", help="as PDF; needs WeasyPrint: the extra pdf")] = False,
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


Person = Annotated[str, typer.Argument(help="who gets it, by name")]
Report = Annotated[NoticeTopic, typer.Argument(help="weekly-report or audit-heads")]
Of = Annotated[
    str | None, typer.Option("--municipality", help="of this one; without it: of all, audit-heads only")
]


@app.command()
def subscribe(person: Person, report: Report, municipality: Of = None, author: Author = "") -> None:
    """Let somebody get a report by e-mail: the week's on Monday at 07:00, the audit's heads each month."""

    async def work(opened: OpenDatabase) -> bool:
        return await subscriptions.subscribe(
            opened.connection, person, _asked(report), municipality,
            by=await opened.actor(author), now=opened.now(),
        )  # fmt: skip

    new = run(work)
    output.line(f"{person} gets it from the next one on." if new else f"{person} gets it already.")


@app.command()
def unsubscribe(person: Person, report: Report, municipality: Of = None, author: Author = "") -> None:
    """Let somebody not get a report any more."""

    async def work(opened: OpenDatabase) -> bool:
        return await subscriptions.unsubscribe(
            opened.connection, person, _asked(report), municipality,
            by=await opened.actor(author), now=opened.now(),
        )  # fmt: skip

    output.line(f"{person} does not get it any more." if run(work) else f"{person} did not get it.")


@app.command("subscriptions")
def list_(
    person: Annotated[str | None, typer.Option(help="only what they get")] = None, as_json: Json = False
) -> None:
    """List who gets which report by e-mail."""

    async def work(opened: OpenDatabase) -> Sequence[ReportSubscription]:
        return await subscriptions.list_subscriptions(opened.connection, person)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    output.table(
        ("who", "report", "municipality", "since"),
        [(s.person, s.topic, s.municipality or "all", s.created_at) for s in found],
        empty="Nobody gets a report.",
    )


def _asked(report: NoticeTopic) -> NoticeTopic:
    if report not in subscriptions.TOPICS:
        raise typer.BadParameter(f"{report} is no report; one of {', '.join(subscriptions.TOPICS)}")
    return report
