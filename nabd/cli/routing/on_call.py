"""`nabd on-call`: who is told by turns, who stands in, and calendars of both."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from devices.instants import to_datetime
from devices.texts.languages import LANGUAGES
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.routing.layer_option import layer_of
from nabd.cli.rules.files import Json
from notify.routing import calendar_exchange, overrides, schedules
from notify.routing.overrides import NewStandIn, PersonShift, StandIn
from notify.routing.schedules import NewSchedule, OnCallSchedule

app = typer.Typer(no_args_is_help=True, help="Who is told by turns, and who stands in.")

Name = Annotated[str, typer.Argument(help="the schedule's name, for example tripoli-night")]
Title = Annotated[list[str] | None, typer.Option(help=f"LANGUAGE=NAME for {', '.join(LANGUAGES)}")]
TimeZone = Annotated[str | None, typer.Option(help="without it that of the municipality")]
Layers = Annotated[
    list[str] | None,
    typer.Option(
        "--layer",
        help="'people=amal,rima start=2026-03-02 turn=7d handover=08:00 hours=18:00-08:00 days=workdays';"
        " as often as needed, the first that has somebody counts",
    ),
]


@app.command()
def add(
    name: Name,
    layer: Layers = None,
    title: Title = None,
    municipality: Annotated[str | None, typer.Option(help="whose it is; without it of all")] = None,
    time_zone: TimeZone = None,
    as_json: Json = False,
) -> None:
    """Add a schedule."""
    new = NewSchedule(
        name=name,
        layers=[layer_of(text) for text in layer or []],
        title=values.pairs(title or []),
        municipality=municipality,
        time_zone=time_zone,
    )

    async def work(opened: OpenDatabase) -> OnCallSchedule:
        return await schedules.add_schedule(opened.connection, new, opened.now(), by=await opened.actor())

    _show_done(run(work), "added", as_json=as_json)


@app.command()
def edit(
    name: Name,
    layer: Layers = None,
    title: Title = None,
    time_zone: TimeZone = None,
    as_json: Json = False,
) -> None:
    """Change a schedule; --layer gives all its layers anew."""
    changes: dict[str, Any] = {}
    if layer:
        changes["layers"] = [layer_of(text) for text in layer]
    if time_zone is not None:
        changes["time_zone"] = time_zone or None
    if not (changes or title):
        raise typer.BadParameter("name at least one change; `nabd on-call edit --help` lists them")

    async def work(opened: OpenDatabase) -> OnCallSchedule:
        found = await schedules.get_schedule(opened.connection, name)
        titled = {"title": {**found.title, **values.pairs(title)}} if title else {}
        return await schedules.edit_schedule(
            opened.connection, name, changes | titled, opened.now(), by=await opened.actor(),
            version=found.version,
        )  # fmt: skip

    _show_done(run(work), "changed", as_json=as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List schedules, and who is on call now."""

    async def work(opened: OpenDatabase) -> list[tuple[OnCallSchedule, str | None]]:
        found = await schedules.list_schedules(opened.connection, limit=100_000)
        now = to_datetime(opened.now())
        return [(one, (await _shifts(opened, one, now, timedelta(seconds=1)))[0].person) for one in found]

    found = run(work)
    if as_json:
        for schedule, person in found:
            output.print_json({**_document(schedule), "on_call": person})
        return
    output.table(
        ["schedule", "title", "municipality", "on call"],
        [
            [s.name, " / ".join(s.title.values()), s.municipality or "all", who or "nobody"]
            for s, who in found
        ],
        empty="None yet. `nabd on-call add --help` says how to add one.",
    )


@app.command()
def show(
    name: Name,
    at: Annotated[str | None, typer.Option(help="an instant with offset; now without it")] = None,
    lasting: Annotated[str, typer.Option("--for", help="how far ahead")] = "28d",
    as_json: Json = False,
) -> None:
    """Say who is on call from now on, and who stands in."""
    length = values.duration(lasting)

    async def work(opened: OpenDatabase) -> tuple[OnCallSchedule, list[PersonShift], list[StandIn]]:
        found = await schedules.get_schedule(opened.connection, name)
        start = values.instant(at, opened.now()) or to_datetime(opened.now())
        standing_in = await overrides.list_stand_ins(opened.connection, found, opened.now())
        return found, await _shifts(opened, found, start, length), standing_in

    schedule, shifts, standing_in = run(work)
    if as_json:
        output.print_json({**_document(schedule), "shifts": shifts, "overrides": standing_in})
        return
    output.table(
        ["from", "until", "on call", ""],
        [[s.from_at, s.until_at, s.person or "nobody", "stands in" if s.override else None] for s in shifts],
    )
    if standing_in:
        output.table(
            ["override", "who", "from", "until"],
            [[o.id, o.person, o.from_at, o.until_at] for o in standing_in],
        )


async def _shifts(
    opened: OpenDatabase, schedule: OnCallSchedule, start: datetime, length: timedelta
) -> list[PersonShift]:
    return await overrides.shifts(opened.connection, schedule, start, start + length)


@app.command()
def override(
    name: Name,
    person: Annotated[str | None, typer.Argument(help="who stands in")] = None,
    start: Annotated[str | None, typer.Option("--from", help="an instant with offset")] = None,
    until: Annotated[str | None, typer.Option(help="an instant with offset, not included")] = None,
    remove: Annotated[int | None, typer.Option(help="instead: the number of one to take back")] = None,
    as_json: Json = False,
) -> None:
    """Say who stands in for the turns, or take it back."""
    if remove is None and not (person and start and until):
        raise typer.BadParameter("name the person, --from and --until; or --remove NUMBER")

    async def work(opened: OpenDatabase) -> list[StandIn]:
        found = await schedules.get_schedule(opened.connection, name)
        by = await opened.actor()
        if remove is not None:
            await overrides.remove_stand_in(opened.connection, found, remove, opened.now(), by=by)
            return []
        begins, ends = values.instant(start, opened.now()), values.instant(until, opened.now())
        assert person is not None
        assert begins is not None
        assert ends is not None
        new = NewStandIn(person=person, from_at=begins, until_at=ends)
        return await overrides.add_stand_ins(opened.connection, found, [new], opened.now(), by=by)

    added = run(work)
    _show_stand_ins(name, added, as_json=as_json)
    if remove is not None and not as_json:
        output.line(f"{name}: override {remove} is taken back.")


@app.command()
def export(
    name: Name, file: Annotated[Path | None, typer.Argument(help="standard output without it")] = None
) -> None:
    """Write the shifts of the last week and of the next half year as an iCalendar file."""

    async def work(opened: OpenDatabase) -> bytes:
        found = await schedules.get_schedule(opened.connection, name)
        return await calendar_exchange.exported(opened.connection, found, opened.now())

    body = run(work)
    if file is None:
        sys.stdout.write(body.decode())
        return
    try:
        file.write_bytes(body)
    except OSError as error:
        output.fail(f"{file} cannot be written: {error}")


@app.command("import")
def import_(
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="an iCalendar file")],
    as_json: Json = False,
) -> None:
    """Read from a calendar who stands in: the title or an attendee of each entry names the person.

    An entry that was read before is replaced; with a mistake nothing is.
    """

    async def work(opened: OpenDatabase) -> list[StandIn]:
        found = await schedules.get_schedule(opened.connection, name)
        return await calendar_exchange.imported(
            opened.connection, found, file.read_bytes(), opened.now(), by=await opened.actor()
        )

    _show_stand_ins(name, run(work), as_json=as_json)


@app.command()
def remove(name: Name) -> None:
    """Remove a schedule that no route names, and who stands in on it."""

    async def work(opened: OpenDatabase) -> None:
        await schedules.remove_schedule(opened.connection, name, opened.now(), by=await opened.actor())

    run(work)
    output.line(f"{name} is removed.")


def _document(schedule: OnCallSchedule) -> dict[str, Any]:
    names = ("name", "title", "municipality", "time_zone", "layers", "version")
    return {member: getattr(schedule, member) for member in names}


def _show_done(schedule: OnCallSchedule, done: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json(_document(schedule))
    else:
        output.line(f"{schedule.name} is {done}; `nabd on-call show {schedule.name}` says who is on call.")


def _show_stand_ins(name: str, found: list[StandIn], *, as_json: bool) -> None:
    for one in found:
        if as_json:
            output.print_json(one)
        else:
            span = f"{output.cell(one.from_at)} to {output.cell(one.until_at)}"
            output.line(f"{name}: {one.person} stands in, {span} (override {one.id})")
