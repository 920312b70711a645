"""`nabd team`: people who are told together."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from devices.texts.languages import LANGUAGES
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.rules.files import Json
from notify.routing import teams
from notify.routing.teams import NewTeam, Team

app = typer.Typer(no_args_is_help=True, help="People who are told of alerts together.")

Name = Annotated[str, typer.Argument(help="its name, for example lights")]
Title = Annotated[list[str] | None, typer.Option(help=f"LANGUAGE=NAME for {', '.join(LANGUAGES)}")]
Members = Annotated[list[str] | None, typer.Option("--member", help="a person's name, as often as needed")]
Municipality = Annotated[str | None, typer.Option(help="whose it is; without it of all")]


@app.command()
def add(
    name: Name,
    title: Title = None,
    municipality: Municipality = None,
    member: Members = None,
    as_json: Json = False,
) -> None:
    """Add a team."""
    new = NewTeam(name=name, title=values.pairs(title or []), municipality=municipality, members=member or [])

    async def work(opened: OpenDatabase) -> Team:
        return await teams.add_team(opened.connection, new, opened.now(), by=await opened.actor())

    _show(run(work), "added", as_json=as_json)


@app.command()
def edit(
    name: Name,
    title: Title = None,
    member: Members = None,
    take: Annotated[list[str] | None, typer.Option("--take-member", help="who leaves it")] = None,
    as_json: Json = False,
) -> None:
    """Change a team: --member adds somebody, --take-member takes somebody out."""
    if not (title or member or take):
        raise typer.BadParameter("name at least one change; `nabd team edit --help` lists them")

    async def work(opened: OpenDatabase) -> Team:
        found = await teams.get_team(opened.connection, name)
        changes: dict[str, Any] = {"title": {**found.title, **values.pairs(title)}} if title else {}
        if member or take:
            if missing := sorted(set(take or []) - set(found.members)):
                raise typer.BadParameter(f"{missing[0]} is not in {name}")
            changes["members"] = sorted((set(found.members) | set(member or [])) - set(take or []))
        return await teams.edit_team(
            opened.connection, name, changes, opened.now(), by=await opened.actor(), version=found.version
        )

    _show(run(work), "changed", as_json=as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List teams with their members."""

    async def work(opened: OpenDatabase) -> list[Team]:
        return await teams.list_teams(opened.connection, limit=100_000)

    found = run(work)
    if as_json:
        for team in found:
            output.print_json(team)
        return
    output.table(
        ["team", "title", "municipality", "members"],
        [
            [t.name, " / ".join(t.title.values()), t.municipality or "all", ", ".join(t.members)]
            for t in found
        ],
        empty="None yet. `nabd team add NAME --member PERSON` adds one.",
    )


@app.command()
def remove(name: Name) -> None:
    """Remove a team that no route names."""

    async def work(opened: OpenDatabase) -> None:
        await teams.remove_team(opened.connection, name, opened.now(), by=await opened.actor())

    run(work)
    output.line(f"{name} is removed.")


def _show(team: Team, done: str, *, as_json: bool) -> None:
    if as_json:
        output.print_json(team)
    else:
        output.line(f"{team.name} is {done}: {', '.join(team.members) or 'nobody in it yet'}.")
