"""`nabd route`: check, apply, show the routes, and say whom an alert would be told."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.time_zones import zone_named
from nabd import clock
from nabd.channels import channels_of
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from nabd.cli.run import load_settings, own_settings
from notify.routing import documents
from notify.routing.documents import RouteDocument
from notify.routing.load import facts_of, load
from notify.routing.names import RouteNames
from notify.routing.route_reader import RoutesRefused, read_routes
from notify.routing.told import PlannedContact, RouteAnswer, would_tell

app = typer.Typer(no_args_is_help=True, help="Say whom alerts are told, check it, and try it.")

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="routes in YAML")]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        output.fail(f"{file} cannot be read: {error}")


@app.command()
def check(file: File, as_json: Json = False) -> None:
    """Say what is wrong in a file of routes, with place and nearest name. Exits with 1 when anything is.

    Names of people, teams, rules and places are checked where a database is named. One that does not answer
    is said on standard error; the rest can be checked without.
    """
    text = _text(file)
    known = _known_names()
    try:
        read_routes(text, known, file=str(file))
    except RoutesRefused as refused:
        _refuse(refused, as_json=as_json)
    if as_json:
        output.print_json({"errors": [], "names_checked": known is not None})
    else:
        output.line("nothing wrong" + ("" if known else "; names were not checked: no database answers"))


def _known_names() -> RouteNames | None:
    async def work(opened: OpenDatabase) -> RouteNames:
        return await documents.known_names(opened.connection, opened.kinds)

    try:
        return run(work) if load_settings().database else None
    except typer.Exit:
        return None


def _refuse(refused: RoutesRefused, *, as_json: bool) -> None:
    if as_json:
        errors = [
            {"line": e.line, "column": e.column, "message": e.message, "suggestion": e.suggestion}
            for e in refused.errors
        ]
        output.print_json({"errors": errors})
        raise typer.Exit(1)
    output.fail(str(refused))


@app.command()
def apply(file: File, author: Author = "", as_json: Json = False) -> None:
    """Put routes into force; with a mistake those in force stay."""
    text = _text(file)

    async def work(opened: OpenDatabase) -> RouteDocument:
        return await documents.apply_routes(
            opened.connection,
            opened.kinds,
            text,
            by=await opened.actor(author),
            now=opened.now(),
            file=str(file),
        )

    try:
        applied = run(work)
    except RoutesRefused as refused:
        _refuse(refused, as_json=as_json)
        return
    if as_json:
        output.print_json({"version": applied.version, "applied_at": applied.applied_at})
    else:
        output.line(f"version {applied.version} of the routes is in force")


@app.command()
def show(
    version: Annotated[int | None, typer.Option("--version", help="an earlier one; 0 is the default")] = None,
    as_json: Json = False,
) -> None:
    """Print the routes in force, ready to be changed and applied."""

    async def work(opened: OpenDatabase) -> RouteDocument:
        if version is None:
            return await documents.routes_in_force(opened.connection)
        return await documents.routes_of_version(opened.connection, version)

    found = run(work)
    if as_json:
        output.print_json(found)
    else:
        output.line(found.document.rstrip("\n"))


@app.command()
def history(as_json: Json = False) -> None:
    """List every version of the routes that was applied, oldest first."""

    async def work(opened: OpenDatabase) -> list[RouteDocument]:
        return await documents.history(opened.connection)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json({"version": one.version, "author": one.author, "applied_at": one.applied_at})
        return
    output.table(
        ["version", "at", "who"],
        [[one.version, one.applied_at, one.author] for one in found],
        empty="Nobody has applied routes yet: the default counts. `nabd route show` prints it.",
    )


@app.command("test")
def try_routes(
    device: Annotated[str, typer.Option(help="of which device the alert would be")],
    severity: Annotated[Severity, typer.Option(help="how bad it would be")],
    rule: Annotated[str, typer.Option(help="whose alert it would be")] = "",
    at: Annotated[str | None, typer.Option(help="an instant with offset; now without it")] = None,
    as_json: Json = False,
) -> None:
    """Say who would be told of an alert, by which channel and when, if nobody acknowledges. Sends nothing."""

    async def work(opened: OpenDatabase) -> tuple[RouteAnswer, str]:
        instant = values.instant(at, opened.now())
        facts = await facts_of(opened.connection, device, severity, rule)
        routing = await load(opened.connection)
        now = opened.now() if instant is None else to_microseconds(instant)
        zone = routing.calendars[facts.municipality].zone.key
        return would_tell(routing, facts, now), zone

    answer, zone = run(work)
    missing = answer.not_among(channels_of(own_settings(), clock.wall))
    if as_json:
        said = {"facts": answer.facts, "at": answer.at, "told": answer.told, "not_set_up": missing}
        output.print_json({**asdict(answer.plan), **said})
        return
    _print(answer, zone)
    if missing:
        output.line(f"not set up here, so nothing is sent by: {', '.join(missing)}; see docs/channels.md")


def _print(answer: RouteAnswer, zone: str) -> None:
    facts, plan = answer.facts, answer.plan
    output.line(
        f"route {plan.route!r}: {facts.severity} on {facts.device} ({facts.kind} in {facts.municipality}"
        f"{f', {facts.district}' if facts.district else ''})"
    )
    output.table(
        ["step", "after", f"at ({zone})", "who", "by", "as"],
        [_row(one, zone) for one in answer.told],
        empty="nobody is told",
    )
    if plan.steps and plan.repeat_s is not None:
        output.line(f"then the last step again every {_span(plan.repeat_s)}, until somebody acknowledges")
    if plan.steps:
        end = "the end is told too" if plan.resolved else "the end is not told"
        output.line(f"what follows within {_span(plan.group_for_s)} is one digest; {end}")


def _row(one: PlannedContact, zone: str) -> list[object]:
    who = one.person if one.person is not None else "nobody"
    if one.at is None or one.after_s is None:
        return [one.step, None, None, who, "cannot be reached" if one.person else None, one.receiver]
    local = one.at.astimezone(zone_named(zone)).strftime("%a %H:%M:%S")
    return [one.step, _span(one.after_s), local, who, one.channel, one.receiver]


def _span(seconds: float) -> str:
    """Return a length of time as people write it: 0s, 45s, 5m, 8h 15m."""
    parts = []
    left = round(seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"
