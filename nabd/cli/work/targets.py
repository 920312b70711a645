"""`nabd sla`: how soon work is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from alerts.transition import Severity
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Json
from work.clocks import sla
from work.clocks.sla import DEFAULTS, LocalTarget, SlaTarget

app = typer.Typer(no_args_is_help=True, help="How soon work orders have to be accepted and done.")

Town = Annotated[str | None, typer.Option(help="in it; without it everywhere")]
Kind = Annotated[str | None, typer.Option(help="of this kind; without it of every kind")]


@app.command()
def show(municipality: Town = None, as_json: Json = False) -> None:
    """Show the defaults and what was set; the most particular one counts."""

    async def work(opened: OpenDatabase) -> list[LocalTarget]:
        return await sla.list_targets(opened.connection)

    defaults = [
        LocalTarget(municipality=None, kind=None, target=one, default=True) for one in DEFAULTS.values()
    ]
    found = [
        one
        for one in [*defaults, *run(work)]
        if municipality is None or one.municipality in (None, municipality)
    ]
    if as_json:
        for one in found:
            output.print_json(_document(one))
        return
    output.table(
        ["severity", "municipality", "kind", "response", "repair", "counts", ""],
        [
            [
                one.target.severity,
                one.municipality or "all",
                one.kind or "all",
                length(one.target.response),
                length(one.target.repair),
                "around the clock" if one.target.around_the_clock else "working hours",
                "default" if one.default else "",
            ]
            for one in found
        ],
    )


@app.command("set")
def set_(
    severity: Annotated[Severity, typer.Argument(help="critical, major, minor or warning")],
    response: Annotated[str | None, typer.Option(help="until it is accepted: 30m, 4h")] = None,
    repair: Annotated[str | None, typer.Option(help="until it is done: 16h")] = None,
    always: Annotated[bool, typer.Option("--always/--working-hours", help="which hours count")] = False,
    municipality: Town = None,
    kind: Kind = None,
    default: Annotated[bool, typer.Option("--default", help="take what was set there back")] = False,
) -> None:
    """Set how soon orders of a severity have to be accepted and done."""
    if default == bool(response or repair) or (not default and not (response and repair)):
        raise typer.BadParameter("name --response and --repair, or --default")

    async def work(opened: OpenDatabase) -> None:
        connection, by, now = opened.connection, await opened.actor(), opened.now()
        if default:
            await sla.drop_target(connection, severity, municipality=municipality, kind=kind, by=by, now=now)
            return
        sla.check_kind(kind, opened.kinds)
        target = SlaTarget(
            severity=severity,
            response=values.duration(response or ""),
            repair=values.duration(repair or ""),
            around_the_clock=always,
        )
        new = LocalTarget(municipality=municipality, kind=kind, target=target)
        await sla.put_target(connection, new, by=by, now=now)

    run(work)
    where = f"{municipality or 'everywhere'}, {kind or 'every kind'}"
    said = "as before" if default else f"accepted within {response}, done within {repair}"
    output.line(f"{severity}, {where}: {said}; deadlines of open orders follow within seconds")


def length(duration: timedelta) -> str:
    """Return a length of time in hours, or minutes where it is shorter."""
    minutes = duration.total_seconds() / 60
    return f"{minutes / 60:g} h" if minutes >= 60 else f"{minutes:g} min"


def _document(one: LocalTarget) -> dict[str, object]:
    return {
        "severity": one.target.severity,
        "municipality": one.municipality,
        "kind": one.kind,
        "response_s": one.target.response.total_seconds(),
        "repair_s": one.target.repair.total_seconds(),
        "around_the_clock": one.target.around_the_clock,
        "default": one.default,
    }
