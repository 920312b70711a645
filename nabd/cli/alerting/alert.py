"""`nabd alert`: whose work an alert is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from alerts import assignment
from alerts.queue import AlertNotFound
from devices.registry.errors import NotFound
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Author, Json

app = typer.Typer(no_args_is_help=True, help="Say whose work an alert is.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Assigned:
    """changed: whether it was somebody else's before."""

    alert: int
    assigned_to: str | None
    changed: bool


@app.command()
def assign(
    alert: Annotated[int, typer.Argument(min=1, help="its number")],
    to: Annotated[str | None, typer.Argument(help="name of a person, as `nabd user list` shows it")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="to nobody any more")] = False,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Assign an alert to somebody who has a role where it was opened."""
    if (to is None) != nobody:
        raise typer.BadParameter("name a person, or say --nobody")

    async def work(opened: OpenDatabase) -> bool:
        by = await opened.actor(author)
        try:
            return await assignment.assign(opened.connection, alert, to, by=by, now=opened.now())
        except AlertNotFound:
            raise NotFound("alert", str(alert)) from None

    changed = run(work)
    if as_json:
        output.print_json(_Assigned(alert=alert, assigned_to=to, changed=changed))
        return
    already = "" if changed else " already"
    output.line(f"alert {alert} is assigned to {to or 'nobody'}{already}")


@app.callback()
def group() -> None:
    """Keep `assign` a command of its own while it is the only one."""
