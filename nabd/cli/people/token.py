"""`nabd token`: how programs show who they are. A token is printed once, when it is made."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.instants import to_datetime
from nabd import clock
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.people.shown import Json
from people.roles import Role, TokenScope
from people.tokens import NewToken, Token, create_token, list_tokens, revoke_token

app = typer.Typer(no_args_is_help=True, help="Tokens of programs: make, list, revoke.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="what it is for")],
    role: Annotated[Role | None, typer.Option(help="what it may do")] = None,
    municipality: Annotated[str | None, typer.Option(help="where; all of them without it")] = None,
    scope: Annotated[list[TokenScope] | None, typer.Option(help="what it may do without a role")] = None,
    lasting: Annotated[str, typer.Option("--for", help="until it expires: 30d, 52w; `ever`: never")] = "365d",
    as_json: Json = False,
) -> None:
    """Make a token and print it; it cannot be shown again."""

    async def work(opened: OpenDatabase) -> str:
        now = clock.wall()
        expires = None if lasting == "ever" else to_datetime(now) + values.duration(lasting)
        new = NewToken(
            name=name, role=role, municipality=municipality, scopes=scope or (), expires_at=expires
        )
        return await create_token(opened.connection, new, now, by=await opened.actor())

    token = run(work)
    if as_json:
        output.print_json({"name": name, "token": token})
    else:
        output.line(token)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List tokens, those that have ended too."""

    async def work(opened: OpenDatabase) -> list[Token]:
        return await list_tokens(opened.connection)

    found = run(work)
    if as_json:
        for token in found:
            output.print_json(token)
        return
    output.table(
        ["token", "name", "may", "made", "expires", "last used", "revoked"],
        [[t.id, t.name, _rights(t), t.created_at, t.expires_at, t.last_used_at, t.revoked_at] for t in found],
        empty="None yet. `nabd token create NAME --role viewer` makes one.",
    )


@app.command()
def revoke(
    token: Annotated[int, typer.Argument(min=1, help="its number, as `nabd token list` shows it")],
    as_json: Json = False,
) -> None:
    """End a token now; requests and streams that carry it end within ten seconds."""

    async def work(opened: OpenDatabase) -> Token:
        return await revoke_token(opened.connection, token, clock.wall(), by=await opened.actor())

    ended = run(work)
    if as_json:
        output.print_json(ended)
    else:
        output.line(f"token {ended.id} ({ended.name}) is revoked.")


def _rights(token: Token) -> str:
    role = f"{token.role}{f'@{token.municipality}' if token.municipality else ''}" if token.role else ""
    return " ".join(filter(None, [role, *token.scopes]))
