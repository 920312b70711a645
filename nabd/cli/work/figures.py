"""`nabd figures`: how soon work was answered and done, and whether it helped."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Annotated

import typer

from api.http.formats import csv_lines
from devices.instants import to_datetime
from devices.time_zones import zone_named
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Json
from work.figures import table
from work.figures.facts import FigureGroup, MunicipalityFigures, TimeFigures, WorkFigures
from work.figures.reading import FiguresQuery, read_figures
from work.figures.span import PeriodKind, period_name

USUAL = timedelta(days=28)


def show(
    municipality: Annotated[str, typer.Option(help="of this municipality")],
    from_: Annotated[
        str | None, typer.Option("--from", help="from 28d or 24h ago, or an RFC 3339 instant")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="until then, written in the same way; not included")
    ] = None,
    by: Annotated[FigureGroup | None, typer.Option(help="grouped by this")] = None,
    per: Annotated[
        PeriodKind | None, typer.Option(help="by week or month of the municipality's clock")
    ] = None,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="print CSV")] = False,
    bom: Annotated[bool, typer.Option(help="CSV: begin with a byte order mark, for Excel")] = False,
) -> None:
    """Show how soon people came, whether it was in time, and whether it helped; of 28 days usually."""

    async def work(opened: OpenDatabase) -> MunicipalityFigures:
        now = opened.now()
        until_at = values.instant(until, now) or to_datetime(now)
        from_at = values.instant(from_, now) or until_at - USUAL
        asked = FiguresQuery(municipality=municipality, from_at=from_at, until_at=until_at, by=by, per=per)
        return await read_figures(opened.connection, asked, to_datetime(now))

    found = run(work)
    if as_json:
        output.print_json(found)
    elif as_csv:
        rows = [[row[column] for column in table.COLUMNS] for row in table.flat(found)]
        sys.stdout.buffer.write(csv_lines([table.COLUMNS, *rows], bom=bom))
    else:
        _print(found)


def _print(found: MunicipalityFigures) -> None:
    output.table(
        (found.by or "group", "period" if found.per else "from", "made", "done", "reopened", "open",
         "overdue", "answered after (p90)", "in time", "done after (p90)", "in time", "helped"),
        [_row(one, found) for one in found.figures],
        empty="There is nothing to count.",
    )  # fmt: skip


def _row(one: WorkFigures, found: MunicipalityFigures) -> tuple[object, ...]:
    zone = zone_named(found.time_zone)
    local = one.from_at.astimezone(zone).isoformat(timespec="minutes")
    begins = period_name(one.from_at, found.per, zone) if found.per else local
    return (
        one.group, begins, one.made, one.done, one.reopened, one.open.count, one.open.overdue,
        _lasting(one.response), _share(one.response.share), _lasting(one.repair), _share(one.repair.share),
        _share(one.effectiveness.share),
    )  # fmt: skip


def _lasting(figures: TimeFigures) -> str | None:
    if figures.median_s is None or figures.p90_s is None:
        return None
    return f"{_hours(figures.median_s)} ({_hours(figures.p90_s)})"


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h"


def _share(share: float | None) -> str | None:
    return None if share is None else f"{share:.0%}"
