"""`nabd work`: list work orders, look at one, make one, give it to somebody."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from alerts.queue import AlertNotFound
from alerts.transition import Severity
from devices.registry.errors import NotFound
from devices.texts.searching import meanings
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json
from nabd.cli.work import plans, steps
from nabd.cli.work.shown import Number, as_document, print_order, read_order, step_of, whose
from work import assigning, event, listing, photos, report, suggestions
from work.assigning import Crew
from work.listing import WorkFilter, overdue
from work.order import OPEN_STATES, WorkOrder, WorkState
from work.orders import NewOrder, make

app = typer.Typer(
    no_args_is_help=True, help="Work orders: who goes to a device, until when, and what was done."
)
app.add_typer(steps.app)
plans.add_to(app)

Team = Annotated[str | None, typer.Option(help="name of a team")]
To = Annotated[str | None, typer.Option("--to", help="name of a person")]


@app.command("list")
def list_(
    municipality: Annotated[str | None, typer.Option(help="only there")] = None,
    district: Annotated[str | None, typer.Option(help="code of a district")] = None,
    device: Annotated[str | None, typer.Option(help="only about it")] = None,
    kind: Annotated[str | None, typer.Option(help="a kind of devices")] = None,
    state: Annotated[WorkState | None, typer.Option(help="only in this state")] = None,
    severity: Annotated[Severity | None, typer.Option(help="only of this severity")] = None,
    assignee: Annotated[str | None, typer.Option(help="a person's name, or nobody")] = None,
    team: Team = None,
    missed: Annotated[
        bool, typer.Option("--overdue", help="only those with a deadline that has passed")
    ] = False,
    text: Annotated[str | None, typer.Option(help="in the title or the device")] = None,
    ended: Annotated[bool, typer.Option("--all", help="those that are done or cancelled too")] = False,
    as_json: Json = False,
) -> None:
    """List work orders, newest first: those that are open."""
    chosen = WorkFilter(
        municipality=municipality,
        district=district,
        device=device,
        kind=kind,
        state=state,
        active=None if ended or state is not None else True,
        severity=severity,
        assignee=assignee,
        team=team,
        overdue=True if missed else None,
        words=meanings(text or "", {}),
    )

    async def work(opened: OpenDatabase) -> tuple[list[WorkOrder], int]:
        now = opened.now()
        return await listing.list_orders(opened.connection, chosen, now=now, limit=10_000), now

    found, now = run(work)
    if as_json:
        for order in found:
            output.print_json(as_document(order, now))
        return
    output.table(
        ["order", "device", "severity", "state", "whose", "alerts", "title", "made", "done by", "overdue"],
        [
            [
                o.id, o.device, o.severity, o.state, whose(o), ", ".join(map(str, o.alerts)), o.title,
                o.created_at, o.repair_due_at, ", ".join(overdue(o, now)),
            ]
            for o in found
        ],
        empty="There is no such work order. `nabd work new` makes one.",
    )  # fmt: skip


@app.command()
def show(order: Number, as_json: Json = False) -> None:
    """Show a work order, everything that happened to it, and who could do it."""

    async def work(opened: OpenDatabase) -> dict[str, object]:
        connection = opened.connection
        found = await listing.get_order(connection, order)
        could = await suggestions.suggested(connection, order) if found.state in OPEN_STATES else []
        return as_document(found, opened.now()) | {
            "events": [asdict(one) for one in await event.history(connection, order)],
            "reports": [asdict(one) for one in await report.reports(connection, order)],
            "photos": [asdict(one) for one in await photos.photos(connection, order)],
            "suggested": [asdict(one) for one in could],
        }

    found = run(work)
    if as_json:
        output.print_json(found)
        return
    for name, value in found.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            columns = list(value[0])
            output.line(name)
            output.table(columns, [[one[column] for column in columns] for one in value])
        elif value not in (None, [], ""):
            output.line(f"{name:16} {output.cell(value)}")


@app.command()
def new(
    device: Annotated[str | None, typer.Option(help="that of the alerts without it")] = None,
    alert: Annotated[list[int] | None, typer.Option(min=1, help="number of an alert; repeat it")] = None,
    title: Annotated[str, typer.Option(help="what is to be done; needed without an alert")] = "",
    severity: Annotated[Severity | None, typer.Option(help="the worst of the alerts without it")] = None,
    to: To = None,
    team: Team = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Make a work order from alerts of a device, or for a device."""

    async def work(opened: OpenDatabase) -> tuple[WorkOrder, int]:
        order = NewOrder(
            device=device,
            alerts=alert or [],
            title=title,
            severity=severity,
            to=Crew(assignee=to, team=team),
        )
        try:
            made = await make(opened.connection, order, await step_of(opened, author))
        except AlertNotFound as error:
            raise NotFound("alert", str(error.alert_id)) from None
        return made, opened.now()

    print_order(run(work), as_json=as_json)


@app.command()
def assign(
    order: Number,
    to: Annotated[str | None, typer.Argument(help="name of a person, as `nabd user list` shows it")] = None,
    team: Team = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="to nobody any more")] = False,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Give a work order to a person, a team, or both."""
    if (to is None and team is None) != nobody:
        raise typer.BadParameter("name a person or a --team, or say --nobody")

    async def work(opened: OpenDatabase) -> tuple[WorkOrder, int]:
        crew = Crew(assignee=to, team=team)
        await assigning.assign(opened.connection, order, crew, await step_of(opened, author))
        return await read_order(opened, order)

    print_order(run(work), as_json=as_json)
