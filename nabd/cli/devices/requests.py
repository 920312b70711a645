"""`nabd command-request`: a command to many devices, asked for by one and approved by another."""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated
from uuid import uuid4

import typer

from devices import profiles
from devices.commands import requests
from devices.commands.new_command import NewCommand
from devices.commands.requests import CommandRequest, NewRequest
from devices.kinds.commands import known_commands
from devices.registry.errors import Conflict
from devices.sources.downlinks import as_downlinks
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run, someone
from people.identity import Identity
from people.person import get_person
from people.roles import Permission
from store.audit import Actor

app = typer.Typer(no_args_is_help=True, help="Commands to many devices: one asks, another one approves.")

Number = Annotated[int, typer.Argument(min=1, help="number of the request")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]
Author = Annotated[
    str, typer.Option(help="which administrator of the municipality, where not named as the user here")
]


@app.command()
def ask(
    name: Annotated[str, typer.Argument(help="what to do, for example report_now")],
    municipality: Annotated[str, typer.Option(help="in this municipality")],
    kind: Annotated[str, typer.Option(help="devices of this kind")],
    reason: Annotated[str, typer.Option(help="why, for who is to approve")],
    district: Annotated[str | None, typer.Option(help="only in the district of this code")] = None,
    parent: Annotated[str | None, typer.Option(help="only what this device feeds, such as a circuit")] = None,
    arg: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")] = None,
    expires: Annotated[
        str | None,
        typer.Option(
            help="how long it may wait, from the approval on"
            "  [default: 5m, or 1d where a network server sends it]"
        ),
    ] = None,
    author: Author = "",
    as_json: Json = False,
) -> None:
    """Ask for a command to many devices; nothing is sent until another one approves."""
    expires_after_s = None if expires is None else int(values.duration(expires).total_seconds())

    async def work(opened: OpenDatabase) -> CommandRequest:
        command = known_commands(opened.kinds.get(kind)).get(name)
        new = NewRequest(
            municipality=municipality,
            kind=kind,
            district=district,
            parent=parent,
            name=name,
            args=values.arguments(arg or (), command),
            expires_after_s=expires_after_s,
            reason=reason,
        )
        by = await _administrator(opened, author, municipality)
        return await requests.ask(opened.connection, opened.kinds, new, opened.now, by=by)

    _show(work, as_json=as_json)


@app.command("list")
def list_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """Show what was asked for, the newest first."""

    async def work(opened: OpenDatabase) -> list[CommandRequest]:
        return await requests.list_requests(opened.connection, opened.now, limit=limit)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [
        (r.id, r.name, r.kind, r.municipality, r.devices, r.state, r.requested_by, r.decided_by, _told(r))
        for r in found
    ]
    columns = (
        "number",
        "command",
        "kind",
        "municipality",
        "devices",
        "state",
        "asked by",
        "decided by",
        "answers",
    )
    output.table(columns, rows, empty="Nobody has asked. `nabd command-request ask --help` says how.")


@app.command()
def approve(number: Number, author: Author = "", as_json: Json = False) -> None:
    """Give the command to every device that is meant now."""

    async def work(opened: OpenDatabase) -> CommandRequest:
        found = await requests.get_request(opened.connection, number, opened.now)
        by = await _administrator(opened, author, found.municipality)
        known = profiles.load(opened.kinds, opened.settings.profiles_dir)

        async def prepare(commands: Sequence[NewCommand]) -> list[NewCommand]:
            return (await as_downlinks(opened.connection, commands, known, opened.now))[0]

        return await requests.approve(
            opened.connection, opened.kinds, number, opened.now, by=by, new_id=uuid4, prepare=prepare
        )

    _show(work, as_json=as_json)


@app.command()
def refuse(number: Number, author: Author = "", as_json: Json = False) -> None:
    """Say no to a request, or take one's own back."""

    async def work(opened: OpenDatabase) -> CommandRequest:
        found = await requests.get_request(opened.connection, number, opened.now)
        by = await _administrator(opened, author, found.municipality)
        return await requests.refuse(opened.connection, number, opened.now, by=by)

    _show(work, as_json=as_json)


async def _administrator(opened: OpenDatabase, author: str, municipality: str) -> Actor:
    """Return the person whom the option names, or who is named as the user of this machine.

    Raises:
        NotFound: there is nobody of that name.
        Conflict: they are disabled, or may not command many devices there.
    """
    person = await get_person(opened.connection, author or someone())
    identity = Identity(principal=person.id, kind="person", name=person.name, grants=person.grants)
    if person.disabled_at is not None or not identity.may_in(Permission.COMMAND_MANY, municipality):
        raise Conflict(
            f"{person.name!r} may not command many devices in {municipality};"
            " name an administrator by --author"
        )
    return Actor(principal=person.id, address=socket.gethostname())


def _show(work: Callable[[OpenDatabase], Awaitable[CommandRequest]], *, as_json: bool) -> None:
    found = run(work)
    if as_json:
        output.print_json(found)
    else:
        output.line(
            f"Request {found.id}, {found.name} to {found.devices} devices of kind {found.kind} in"
            f" {found.municipality}, is {found.state}."
        )
        if found.left_out:
            output.line(
                f"{found.left_out} devices got none: too many commands wait for them,"
                " or a gateway speaks for them."
            )


def _told(found: CommandRequest) -> str:
    return ", ".join(f"{number} {status}" for status, number in sorted(found.answers.items()))
