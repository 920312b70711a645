"""`nabd store accounts`: the accounts of the processes at the database, made by a superuser."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from nabd.accounts import making
from nabd.accounts.grants import Account
from nabd.accounts.making import AccountChanges
from nabd.cli import output
from nabd.cli.run import EXPECTED, load_settings
from nabd.configuration.secrets import read_secrets
from nabd.configuration.sources import UnreadableSetting, config_file
from nabd.starting import database_of
from store.pool import connect


def accounts(
    passwords: Annotated[
        Path | None,
        typer.Option(
            help="directory of files database-owner, database-ingest and so on;"
            " else `secrets` beside the configuration file"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Make an account for each process, none of them a superuser; NABD_DATABASE names a superuser.

    Run it before the first `nabd migrate`, and again whenever passwords or accounts are new: what is so
    already is left as it is.
    """
    try:
        settings = load_settings()
        found = read_secrets(passwords or _beside_configuration(), [f"database-{one}" for one in Account])
        by_account = {one: found[f"database-{one}"] for one in Account}
        changes = asyncio.run(_make(database_of(settings), by_account))
    except (UnreadableSetting, *EXPECTED) as error:
        output.fail(str(error))
    if as_json:
        output.print_json(changes)
        return
    output.line(f"accounts made: {', '.join(changes.made) or 'none, all were there'}")
    output.line(f"passwords set: {', '.join(changes.passwords) or 'none, all were so'}")
    if changes.owner_of:
        output.line(f"{Account.OWNER.role} owns now: {len(changes.owner_of)} relations and functions")
    output.line("next: `nabd migrate` as nabd_owner, which says what each account may")


def _beside_configuration() -> Path:
    config = config_file()
    if config is None:
        raise UnreadableSetting("there is no configuration file here: name the directory with --passwords")
    return config.parent / "secrets"


async def _make(dsn: str, passwords: dict[Account, str]) -> AccountChanges:
    connection = await connect(dsn)
    try:
        return await making.make(connection, passwords)
    finally:
        await connection.close()
