"""`nabd device ban`, `unban` and `banned`: names that are never let in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from devices.registry import bans
from devices.registry.bans import BannedDevice
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run
from readings import quarantine

Name = Annotated[str, typer.Argument(help="the id it uses on the wire")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def ban(
    name: Name,
    reason: Annotated[str, typer.Option(help="why it is never let in")],
    as_json: Json = False,
) -> None:
    """Never let a device in: it cannot be registered, and does not wait in quarantine."""

    async def work(opened: OpenDatabase) -> BannedDevice:
        found = await quarantine.unknown_devices(opened.connection, device=name, limit=1)
        town = found[0].municipality if found else None
        by = await opened.actor()
        return await bans.ban(opened.connection, name, reason, opened.now, municipality=town, by=by)

    made = run(work)
    if as_json:
        output.print_json(made)
    else:
        output.line(f"{name} is banned; `nabd device unban {name}` lets it in again.")


def unban(name: Name, as_json: Json = False) -> None:
    """Let a banned device in again: what it sends waits in quarantine."""

    async def work(opened: OpenDatabase) -> None:
        await bans.unban(opened.connection, name, opened.now, by=await opened.actor())

    run(work)
    if as_json:
        output.print_json({"name": name, "banned": False})
    else:
        output.line(f"{name} is not banned any more; `nabd device quarantine` shows what it sends.")


def banned(as_json: Json = False) -> None:
    """List the devices that are never let in, the last first."""

    async def work(opened: OpenDatabase) -> Sequence[BannedDevice]:
        return await bans.list_banned(opened.connection)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(one.name, one.municipality, one.reason, one.author, one.banned_at) for one in found]
    columns = ("device", "municipality", "why", "by", "since")
    output.table(columns, rows, empty="No device is banned.")
