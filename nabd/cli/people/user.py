"""`nabd user`: people who sign in. Passwords are asked for, or read from standard input, never arguments."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NoReturn

import typer

from devices.registry.errors import Invalid
from nabd import clock
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from nabd.cli.people.contact import (
    Channels,
    Districts,
    Quiet,
    Skills,
    Steps,
    contact_changes,
    work_changes,
)
from nabd.cli.people.shown import Json, Name, Roles, grants_of, print_person, print_secret
from nabd.first_link import base_of
from people import editing, first, kept, links, totp
from people.editing import NewPerson
from people.identity import to_text
from people.person import Person, get_person, list_people
from people.sign_in import drop_totp, set_totp

app = typer.Typer(no_args_is_help=True, help="People who sign in: add, change, disable, help back in.")

DisplayName = Annotated[str | None, typer.Option(help="how others see them, in any script")]
Language = Annotated[str | None, typer.Option(help="en, fr or ar")]
Phone = Annotated[str | None, typer.Option(help="with the country's number first; empty: none")]
Email = Annotated[str | None, typer.Option(help="their address; empty: none")]
Calendar = Annotated[str | None, typer.Option(help="the working calendar they keep; empty: none")]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="read the password from standard input, one line")
]
Base = Annotated[str | None, typer.Option("--url", help="where the API is reached, for the link")]


def _changes(
    display_name: str | None,
    language: str | None,
    phone: str | None,
    email: str | None,
    calendar: str | None,
) -> dict[str, Any]:
    """Return the fields that were given; an empty text takes one away."""
    said = {"phone": phone, "email": email, "calendar": calendar}
    found: dict[str, Any] = {name: text or None for name, text in said.items() if text is not None}
    kept = {"display_name": display_name, "language": language}
    return found | {name: text for name, text in kept.items() if text is not None}


def _password(*, from_stdin: bool) -> str:
    """Return a password that somebody types twice, or one line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    found: str = typer.prompt("password", hide_input=True, confirmation_prompt=True)
    return found


@app.command()
def add(
    name: Name,
    display_name: DisplayName = None,
    language: Language = None,
    phone: Phone = None,
    email: Email = None,
    calendar: Calendar = None,
    channel: Channels = None,
    step: Steps = None,
    quiet: Quiet = None,
    skill: Skills = None,
    district: Districts = None,
    role: Roles = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="they sign in by links, until they have one")
    ] = False,
    password_stdin: FromStdin = False,
    as_json: Json = False,
) -> None:
    """Add a person; asks for their password."""
    fields = _changes(display_name, language, phone, email, calendar)
    fields |= contact_changes({}, channel, step, quiet) | work_changes(skill, district)
    grants = grants_of(role or [])
    password = None if no_password else _password(from_stdin=password_stdin)

    async def work(opened: OpenDatabase) -> Person:
        new = NewPerson(name=name, password=password, grants=grants, **fields)
        return await editing.add_person(opened.connection, new, clock.wall(), by=await opened.actor())

    print_person(run(work), "added", as_json=as_json)


@app.command()
def edit(
    name: Name,
    display_name: DisplayName = None,
    language: Language = None,
    phone: Phone = None,
    email: Email = None,
    calendar: Calendar = None,
    channel: Channels = None,
    step: Steps = None,
    quiet: Quiet = None,
    skill: Skills = None,
    district: Districts = None,
    role: Roles = None,
    take: Annotated[list[str] | None, typer.Option("--take-role", help="a role to take away")] = None,
    as_json: Json = False,
) -> None:
    """Change a person; what is not named stays. --role gives one more role, --take-role takes one away."""
    fields = _changes(display_name, language, phone, email, calendar) | work_changes(skill, district)
    given, taken = grants_of(role or []), grants_of(take or [])
    if not (fields or given or taken or channel or step or quiet):
        raise typer.BadParameter("name at least one change; `nabd user edit --help` lists them")

    async def work(opened: OpenDatabase) -> Person:
        person = await get_person(opened.connection, name)
        changes = fields | contact_changes(person.channels, channel, step, quiet)
        grants, held = None, person.grants
        if given or taken:
            if missing := set(taken) - held:
                raise Invalid("roles", f"{name} does not hold {to_text(min(missing, key=to_text))}")
            grants = (held | set(given)) - set(taken)
        return await editing.edit_person(
            opened.connection, name, changes, clock.wall(), by=await opened.actor(), grants=grants,
            version=person.version,
        )  # fmt: skip

    print_person(run(work), "changed", as_json=as_json)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List people."""

    async def work(opened: OpenDatabase) -> list[Person]:
        return await list_people(opened.connection, limit=100_000)

    found = run(work)
    if as_json:
        for person in found:
            print_person(person, "", as_json=True)
        return
    output.table(
        [
            "name", "display name", "language", "roles", "password", "app", "signs in at", "last seen",
            "disabled",
        ],
        [
            [
                p.name, p.display_name, p.language, ", ".join(sorted(map(to_text, p.grants))),
                "yes" if p.has_password else "no", "yes" if p.has_totp else "no",
                p.oidc_issuer or "", p.last_seen_at, p.disabled_at,
            ]
            for p in found
        ],
        empty="Nobody yet. `nabd user first` makes an administrator and prints a link that signs in.",
    )  # fmt: skip


@app.command()
def disable(name: Name, as_json: Json = False) -> None:
    """Let a person in no more: sessions, links and open pages end within ten seconds."""
    _changed(name, editing.disable_person, "disabled", as_json=as_json)


@app.command()
def enable(name: Name, as_json: Json = False) -> None:
    """Let a person in again."""
    _changed(name, editing.enable_person, "enabled", as_json=as_json)


def _changed(name: str, change: Callable[..., Awaitable[Person]], done: str, *, as_json: bool) -> None:
    async def work(opened: OpenDatabase) -> Person:
        return await change(opened.connection, name, clock.wall(), by=await opened.actor())

    print_person(run(work), done, as_json=as_json)


@app.command()
def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Forget a person: what they did stays, without their name. To keep them out, disable them instead."""
    if not yes:
        typer.confirm(f"forget {name} for ever?", abort=True)

    async def work(opened: OpenDatabase) -> None:
        await editing.delete_person(opened.connection, name, clock.wall(), by=await opened.actor())

    run(work)
    output.line(f"{name} is forgotten.")


@app.command()
def data(name: Name) -> None:
    """Print all that is kept of a person, to be handed to them: one JSON object a row, as NDJSON."""

    async def work(opened: OpenDatabase) -> None:
        async for one in kept.rows_of(opened.connection, name):
            output.print_json({"table": one.table, "column": one.column, **one.row})

    run(work)


@app.command("reset-password")
def reset_password(name: Name, password_stdin: FromStdin = False) -> None:
    """Give a person another password; their sessions end."""
    password = _password(from_stdin=password_stdin)

    async def work(opened: OpenDatabase) -> None:
        person = await get_person(opened.connection, name)
        await editing.set_password(opened.connection, person, password, clock.wall(), by=await opened.actor())

    run(work)
    output.line(f"{name} has another password; whoever was signed in as {name} is signed out.")


@app.command()
def link(name: Name, url: Base = None, as_json: Json = False) -> None:
    """Print a link that signs a person in once, within ten minutes."""

    async def work(opened: OpenDatabase) -> tuple[str, str]:
        person = await get_person(opened.connection, name)
        secret = await links.create_link(opened.connection, person.id, clock.wall(), by=await opened.actor())
        return person.name, first.address_of(url or base_of(opened.settings), secret)

    print_secret(*run(work), as_json=as_json)


@app.command("first")
def first_(
    name: Annotated[str, typer.Argument(help="what they sign in with")] = first.NAME,
    url: Base = None,
    as_json: Json = False,
) -> None:
    """Print a link that signs in as an administrator; where there is none yet, make one."""

    async def work(opened: OpenDatabase) -> tuple[str, str]:
        found, secret = await first.first_link(
            opened.connection, clock.wall(), by=await opened.actor(), name=name
        )
        return found, first.address_of(url or base_of(opened.settings), secret)

    print_secret(*run(work), as_json=as_json)


@app.command("totp")
def totp_(
    name: Name,
    off: Annotated[bool, typer.Option("--off", help="ask for no codes any more")] = False,
) -> None:
    """Set up an app's codes for a person, who must be there with it; prints recovery codes once."""
    if off:
        _totp_off(name)
    secret = totp.new_secret()

    async def known(opened: OpenDatabase) -> Person:
        return await get_person(opened.connection, name)

    run(known)
    output.line(f"secret    {secret}")
    output.line(f"address   {totp.address_of(secret, name)}")
    code = typer.prompt("code that the app shows")

    async def work(opened: OpenDatabase) -> list[str]:
        person = await get_person(opened.connection, name)
        return await set_totp(
            opened.connection, person, secret, code, clock.wall(), by=await opened.actor(), replace=True
        )

    codes = run(work)
    output.line("recovery codes, each good once where the app is lost; shown once:")
    for one in codes:
        output.line(f"          {one}")


def _totp_off(name: str) -> NoReturn:
    async def work(opened: OpenDatabase) -> None:
        person = await get_person(opened.connection, name)
        await drop_totp(opened.connection, person, clock.wall(), by=await opened.actor(), totp_required=False)

    run(work)
    output.line(f"{name} is asked for no codes any more.")
    raise typer.Exit
