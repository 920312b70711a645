"""How people and links are read from and written to the terminal, the same in every command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Annotated

import typer

from nabd.cli import output
from people.identity import Grant, of_texts, to_text
from people.person import Person
from people.roles import Role

Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
Name = Annotated[str, typer.Argument(help="what they sign in with, for example rima")]
Roles = Annotated[
    list[str] | None,
    typer.Option("--role", help="viewer, technician@tripoli, ...; without @ in all municipalities"),
]


def grants_of(texts: Iterable[str]) -> list[Grant]:
    """Return the roles that options name."""
    try:
        return sorted(of_texts(texts), key=to_text)
    except ValueError as error:
        known = ", ".join(Role)
        raise typer.BadParameter(f"{error}: write {known}, with @MUNICIPALITY for one") from None


def print_person(person: Person, done: str, *, as_json: bool) -> None:
    """Print what was done to a person, or the person as JSON."""
    roles = sorted(map(to_text, person.grants))
    if as_json:
        members = {f.name: getattr(person, f.name) for f in fields(person) if f.name not in ("id", "grants")}
        output.print_json(members | {"roles": roles})
    else:
        output.line(f"{person.name} is {done}: {', '.join(roles) or 'no role yet'}.")


def print_secret(name: str, link: str, *, as_json: bool) -> None:
    """Print a link that signs a person in."""
    if as_json:
        output.print_json({"name": name, "link": link})
        return
    output.line(link)
    output.line(f"signs in as {name}, once, within ten minutes.")
