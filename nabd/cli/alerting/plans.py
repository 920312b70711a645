"""`nabd maintenance plan`, `plans`, `end-plan`: maintenance that comes again on a local calendar."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Literal

import typer

from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from rules.maintenance import plans
from rules.maintenance.plans import MaintenancePlan
from rules.maintenance.recurrence import Recurrence

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = re.compile(r"(\d\d:\d\d)-(\d\d:\d\d)")


def add_to(app: typer.Typer) -> None:
    """Add the commands to those about maintenance."""
    app.command()(plan)
    app.command("plans")(list_)
    app.command("end-plan")(end)


def plan(
    reason: Annotated[str, typer.Option(help="what is done there")],
    every: Annotated[str, typer.Option(help="day; mon,thu; or days of the month: month:1,15")],
    at: Annotated[str, typer.Option(help="02:00-04:00 by the clock there; 22:00-06:00 passes midnight")],
    device: Annotated[str | None, typer.Option(help="a device, with everything below it")] = None,
    municipality: Annotated[str | None, typer.Option(help="a whole municipality")] = None,
    first: Annotated[str | None, typer.Option("--from", help="the first day: 2026-03-01")] = None,
    last: Annotated[str | None, typer.Option("--until", help="the last day; without it for ever")] = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Plan windows that come again; 02:00 stays 02:00 there, whatever is done to the clock."""
    cycle, days = _days(every)
    from_time, until_time = _times(at)
    recurrence = Recurrence(
        every=cycle,
        days=days,
        from_time=from_time,
        until_time=until_time,
        from_date=_day("--from", first),
        until_date=_day("--until", last),
    )

    async def work(opened: OpenDatabase) -> MaintenancePlan:
        by = await opened.actor(author)
        return await plans.add_plan(
            opened.connection,
            recurrence,
            reason=reason,
            by=by,
            now=opened.now(),
            device=device,
            municipality=municipality,
        )

    made = run(work)
    if as_json:
        output.print_json(made)
        return
    output.line(f"maintenance plan {made.id} over {_where(made)}: {_when(made)}; {_next(made)}")


def list_(
    municipality: Annotated[str | None, typer.Option(help="over it and its devices")] = None,
    ended: Annotated[bool, typer.Option("--all", help="those that somebody has ended too")] = False,
    as_json: Json = False,
) -> None:
    """List maintenance that comes again."""

    async def work(opened: OpenDatabase) -> list[MaintenancePlan]:
        return await plans.list_plans(
            opened.connection, now=opened.now(), municipality=municipality, ended=ended, limit=100_000
        )

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    output.table(
        ["plan", "over", "when", "next", "state", "reason", "who"],
        [[p.id, _where(p), _when(p), p.next_from_at, p.state, p.reason, p.author] for p in found],
        empty="No maintenance comes again. `nabd maintenance plan` plans some.",
    )


def end(
    plan: Annotated[int, typer.Argument(min=1, help="its number, as `nabd maintenance plans` shows it")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """End a plan and the window that runs by it; none comes any more."""

    async def work(opened: OpenDatabase) -> MaintenancePlan:
        by = await opened.actor(author)
        return await plans.end_plan(opened.connection, plan, by=by, now=opened.now())

    ended = run(work)
    if as_json:
        output.print_json(ended)
        return
    output.line(f"maintenance plan {ended.id} over {_where(ended)} ended at {output.cell(ended.ended_at)}")


def _days(text: str) -> tuple[Literal["week", "month"], list[int]]:
    if text == "day":
        return "week", [1, 2, 3, 4, 5, 6, 7]
    of_month, _, numbers = text.rpartition("month:")
    parts = [part.strip().lower() for part in numbers.split(",")]
    if text.startswith("month:") and not of_month and all(p.isascii() and p.isdigit() for p in parts):
        return "month", sorted({int(part) for part in parts})
    if all(part[:3] in DAYS for part in parts):
        return "week", sorted({DAYS.index(part[:3]) + 1 for part in parts})
    raise typer.BadParameter(f"--every {text}: write day, or mon,thu, or month:1,15")


def _times(text: str) -> tuple[time, time]:
    match = SPAN.fullmatch(text)
    try:
        if match:
            return time.fromisoformat(match[1]), time.fromisoformat(match[2].replace("24:00", "00:00"))
    except ValueError:
        pass
    raise typer.BadParameter(f"--at {text}: write 02:00-04:00, by the clock of the municipality")


def _day(option: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text}: write a day such as 2026-03-01") from None


def _where(plan: MaintenancePlan) -> str:
    return plan.device or f"municipality {plan.municipality}"


def _when(plan: MaintenancePlan) -> str:
    when = plan.recurrence
    if when.every == "week":
        days = "every day" if len(when.days) == 7 else ", ".join(DAYS[day - 1] for day in when.days)
    else:
        days = f"on day {', '.join(map(str, when.days))} of each month"
    return f"{days} {when.from_time:%H:%M} to {when.until_time:%H:%M} ({plan.time_zone})"


def _next(plan: MaintenancePlan) -> str:
    if plan.next_from_at is None:
        return "none within a year"
    return f"next {output.cell(plan.next_from_at)} to {output.cell(plan.next_until_at)}"
