"""`nabd work-plan`: preventive work that comes again; `nabd work repeats` and `by-rule`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

import typer

from alerts.transition import Severity
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from nabd.cli.work.calendar import day_of
from work.clocks import repeats
from work.clocks.repeats import RepeatOffender
from work.preventive import plans
from work.preventive.plan_times import PlanUnit
from work.preventive.plans import NewPlan, WorkPlan
from work.rounds import by_rule

app = typer.Typer(no_args_is_help=True, help="Preventive work that comes again.")

EVERY = re.compile(r"(\d+) ?(weeks?|months?)")


@app.command()
def new(
    title: Annotated[str, typer.Argument(help="what is to be done")],
    every: Annotated[str, typer.Option(help="6months, 2weeks; with --counter a number of its units")],
    counter: Annotated[str | None, typer.Option(help="a measurement that counts, such as burn_hours")] = None,
    device: Annotated[str | None, typer.Option(help="on one device")] = None,
    kind: Annotated[str | None, typer.Option(help="on all devices of a kind, with --municipality")] = None,
    municipality: Annotated[str | None, typer.Option(help="that of the devices")] = None,
    first: Annotated[str | None, typer.Option("--from", help="the first day; today without it")] = None,
    ahead: Annotated[
        float | None, typer.Option(help="days, or units of the counter, before: 7, or 2 %")
    ] = None,
    severity: Annotated[Severity, typer.Option(help="of its orders")] = Severity.MINOR,
    team: Annotated[str | None, typer.Option(help="to whom its orders are given")] = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Make a plan; its orders come ahead of their day, or of what the counter shows."""
    number, unit = _every(every, counter)
    wanted = NewPlan(
        title=title,
        every=number,
        unit=unit,
        device=device,
        kind=kind,
        municipality=municipality,
        measurement=counter,
        first_day=None if first is None else day_of(first),
        ahead=ahead,
        severity=severity,
        team=team,
    )

    async def work(opened: OpenDatabase) -> WorkPlan:
        by = await opened.actor(author)
        return await plans.add_work_plan(opened.connection, wanted, opened.kinds, by=by, now=opened.now())

    _print(run(work), as_json=as_json)


def _every(text: str, counter: str | None) -> tuple[float, PlanUnit]:
    if counter is not None:
        try:
            return float(text), "counter"
        except ValueError:
            raise typer.BadParameter(f"--every {text}: write a number of units of {counter}") from None
    match = EVERY.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"--every {text}: write 6months or 2weeks; a number needs --counter")
    return float(match[1]), "weeks" if match[2].startswith("week") else "months"


@app.command("list")
def list_(
    municipality: Annotated[str | None, typer.Option(help="only there")] = None,
    ended: Annotated[bool, typer.Option("--all", help="those that somebody has ended too")] = False,
    as_json: Json = False,
) -> None:
    """List preventive plans."""

    async def work(opened: OpenDatabase) -> list[WorkPlan]:
        return await plans.list_work_plans(
            opened.connection, municipality=municipality, ended=ended, limit=100_000
        )

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    output.table(
        ["plan", "what", "on", "when", "open orders", "state", "who"],
        [
            [p.id, p.title, _where(p), _when(p), p.open_orders, "over" if p.ended_at else "active", p.author]
            for p in found
        ],
        empty="None yet. `nabd work-plan new` makes one.",
    )


@app.command()
def end(
    plan: Annotated[int, typer.Argument(min=1, help="its number, as `nabd work-plan list` shows it")],
    author: Author = "",
    as_json: Json = False,
) -> None:
    """End a plan: no order comes any more; those that are open stay."""

    async def work(opened: OpenDatabase) -> WorkPlan:
        by = await opened.actor(author)
        return await plans.end_work_plan(opened.connection, plan, by=by, now=opened.now())

    _print(run(work), as_json=as_json)


def add_to(app: typer.Typer) -> None:
    """Add what this file has for `nabd work`."""
    app.command("repeats")(show_repeats)
    app.command("by-rule")(switch)


def show_repeats(
    municipality: Annotated[str | None, typer.Option(help="only there")] = None,
    least: Annotated[int, typer.Option(min=2, help="so many orders at least")] = repeats.LEAST,
    days: Annotated[int, typer.Option(min=1, max=3660, help="made in so many days")] = repeats.WITHIN.days,
    as_json: Json = False,
) -> None:
    """List devices that somebody goes to again and again, by rule."""

    async def work(opened: OpenDatabase) -> list[RepeatOffender]:
        return await repeats.list_repeats(
            opened.connection,
            now=opened.now(),
            municipality=municipality,
            least=least,
            within=timedelta(days=days),
            limit=100_000,
        )

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    output.table(
        ["device", "municipality", "rule", "orders", "reopened", "last", "last order"],
        [[r.device, r.municipality, r.rule, r.orders, r.reopened, r.last_at, r.last_order] for r in found],
        empty=f"No device had {least} orders of a rule in {days} days.",
    )


def switch(
    municipality: Annotated[str, typer.Argument(help="name of the municipality")],
    on: Annotated[bool | None, typer.Option("--on/--off", help="without it: how it stands")] = None,
    author: Author = "",
) -> None:
    """Let rules that ask for work make orders of their alerts, from now on; or not."""

    async def work(opened: OpenDatabase) -> bool:
        if on is None:
            return await by_rule.is_on(opened.connection, municipality)
        by = await opened.actor(author)
        await by_rule.switch(opened.connection, municipality, on=on, by=by, now=opened.now())
        return on

    stands = run(work)
    output.line(f"{municipality}: rules make {'orders of their alerts' if stands else 'no orders'}")


def _print(plan: WorkPlan, *, as_json: bool) -> None:
    if as_json:
        output.print_json(plan)
        return
    ended = f"; ended at {output.cell(plan.ended_at)}" if plan.ended_at else ""
    output.line(f"work plan {plan.id} on {_where(plan)}: {plan.title}, {_when(plan)}{ended}")


def _where(plan: WorkPlan) -> str:
    return plan.device or f"every {plan.kind} of {plan.municipality}"


def _when(plan: WorkPlan) -> str:
    if plan.unit == "counter":
        return f"every {plan.every:g} {plan.measurement}, {plan.ahead:g} ahead"
    return f"every {plan.every:g} {plan.unit} from {plan.first_day}, {plan.ahead:g} days ahead"
