"""`nabd calendar`: when the people of a municipality work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated

import typer

from devices.registry.errors import Invalid
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Json
from work.calendars import editing
from work.calendars.hours import parse_hours, parse_week, week_text
from work.calendars.shown import ShownCalendar, shown
from work.calendars.stored import StoredCalendar
from work.calendars.working import DayHours

app = typer.Typer(no_args_is_help=True, help="When the people of a municipality work.")
holiday = typer.Typer(no_args_is_help=True, help="Days of rest, and days of work, by hand.")
app.add_typer(holiday, name="holiday")

Town = Annotated[str, typer.Argument(help="name of the municipality")]
Day = Annotated[str, typer.Argument(help="2026-03-20")]


def day_of(text: str) -> date:
    """Read a day such as 2026-03-20."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r}: write a day such as 2026-03-20") from None


@app.command()
def show(municipality: Town, as_json: Json = False) -> None:
    """Show hours, the days of two years that are not like their weekday, and when Ramadan is."""

    async def work(opened: OpenDatabase) -> ShownCalendar:
        found = await editing.calendar_of(opened.connection, municipality)
        return await shown(opened.connection, found, opened.now())

    found = run(work)
    if as_json:
        output.print_json(found)
        return
    output.table(["day", "hours"], list(found.hours.items()))
    for one in found.ramadan:
        by_hand = ", entered by hand" if one.by_hand else ""
        people = f"people work {found.ramadan_hours or 'the same hours'}"
        output.line(f"Ramadan {one.year}: {one.first} to {one.last}{by_hand}; {people}")
    output.table(
        ["day", "people", "name", ""],
        [
            [d.day, "work" if d.working else "rest", d.name, "by hand" if d.by_hand else ""]
            for d in found.days
        ],
        empty="No day is unlike its weekday: the municipality's locale names no territory.",
    )


@app.command()
def hours(
    municipality: Town,
    day: Annotated[
        list[str] | None, typer.Option(help="mon=08:00-12:00,13:00-16:00, as often as needed")
    ] = None,
    ramadan: Annotated[
        str | None, typer.Option(help="09:00-14:00 of a day in Ramadan; same: as else; default")
    ] = None,
    default: Annotated[bool, typer.Option("--default", help="the default hours again")] = False,
) -> None:
    """Say in which hours people work; a weekday without hours is one of rest."""
    if default == bool(day or ramadan):
        raise typer.BadParameter("name --day or --ramadan, or --default")
    week = parse_week_option(day)

    async def work(opened: OpenDatabase) -> StoredCalendar:
        before = await editing.calendar_of(opened.connection, municipality)
        return await editing.set_hours(
            opened.connection,
            municipality,
            hours=None if default else week or before.hours,
            ramadan_hours=_in_ramadan(ramadan, None if default else before.ramadan_hours),
            by=await opened.actor(),
            now=opened.now(),
        )

    changed = run(work)
    said = ", ".join(f"{name} {text}" for name, text in week_text(changed.week()).items())
    output.line(f"{municipality} works {said}; deadlines of open orders follow within seconds")


def parse_week_option(day: list[str] | None) -> dict[int, DayHours] | None:
    """Return the hours of weekdays that options name; None where there are none."""
    try:
        return parse_week(values.pairs(day)) if day else None
    except Invalid as error:
        raise typer.BadParameter(str(error), param_hint="--day") from None


def _in_ramadan(text: str | None, before: DayHours | None) -> DayHours | None:
    if text is None:
        return before
    return (
        {"same": (), "default": None}[text] if text in ("same", "default") else parse_hours(text, "ramadan")
    )


@holiday.command("add")
def add(
    municipality: Town, day: Day, name: Annotated[str, typer.Option(help="what is celebrated")] = ""
) -> None:
    """Make a day one of rest, such as an Eid that was announced."""
    _change(municipality, _put(municipality, day, name=name, working=False), f"{day} is a day of rest")


@holiday.command("remove")
def remove(
    municipality: Town, day: Day, name: Annotated[str, typer.Option(help="why people work")] = ""
) -> None:
    """Make a day one of work, whatever the public holidays and the week-end say."""
    _change(municipality, _put(municipality, day, name=name, working=True), f"{day} is a day of work")


@holiday.command("forget")
def forget(municipality: Town, day: Day) -> None:
    """Let a day be as it is foreseen again."""
    when = day_of(day)

    async def work(opened: OpenDatabase) -> object:
        by = await opened.actor()
        return await editing.remove_day(opened.connection, municipality, when, by=by, now=opened.now())

    _change(municipality, work, f"{day} is as foreseen")


@app.command()
def ramadan(
    municipality: Town,
    first: Annotated[str, typer.Argument(help="the first day, as announced; or a Hijri year with --forget")],
    last: Annotated[str | None, typer.Argument(help="the last day")] = None,
    forget: Annotated[bool, typer.Option("--forget", help="as foreseen again")] = False,
) -> None:
    """Say when Ramadan was announced."""
    if forget != (last is None) or (forget and not first.isdecimal()):
        raise typer.BadParameter("name the first and the last day, or a Hijri year with --forget")

    async def work(opened: OpenDatabase) -> object:
        by, now = await opened.actor(), opened.now()
        if forget:
            return await editing.remove_ramadan(opened.connection, municipality, int(first), by=by, now=now)
        days = (day_of(first), day_of(last or ""))
        return await editing.put_ramadan(opened.connection, municipality, days, by=by, now=now)

    _change(municipality, work, "Ramadan is as foreseen" if forget else f"Ramadan is from {first} to {last}")


def _put(
    municipality: str, day: str, *, name: str, working: bool
) -> Callable[[OpenDatabase], Awaitable[object]]:
    when = day_of(day)

    async def work(opened: OpenDatabase) -> object:
        by, now = await opened.actor(), opened.now()
        return await editing.put_day(
            opened.connection, municipality, when, working=working, name=name, by=by, now=now
        )

    return work


def _change(municipality: str, work: Callable[[OpenDatabase], Awaitable[object]], said: str) -> None:
    run(work)
    output.line(f"{municipality}: {said}; deadlines of open orders follow within seconds")
