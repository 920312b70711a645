"""`nabd device command` and `commands`: tell a device to do something, and see what became of it.

The command waits in the database; `nabd api` hands it to our broker, `nabd bridge` to a network server's.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated
from uuid import uuid4

import typer

from devices import profiles
from devices.commands import answered, queue
from devices.commands.answered import SentCommand
from devices.commands.new_command import EXPIRES_AFTER_S, new_command
from devices.kinds.commands import known_commands
from devices.registry.registry import get_device
from devices.sources import states
from devices.sources.downlinks import prepared
from nabd import clock
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run

LOOK_S = 0.2
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def command(
    device: Annotated[str, typer.Argument(help="whom to tell")],
    name: Annotated[str, typer.Argument(help="what to do, for example report_now")],
    arg: Annotated[list[str] | None, typer.Option(help="NAME=VALUE, as often as needed")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="wait until the device has done it")] = False,
    expires: Annotated[
        str | None,
        typer.Option(help="how long it may wait  [default: 5m, or 1d where a network server sends it]"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Tell a device to do something; with --wait exit with 1 unless it succeeds."""
    after_s = EXPIRES_AFTER_S if expires is None else values.duration(expires).total_seconds()

    async def work(opened: OpenDatabase) -> SentCommand:
        told = await get_device(opened.connection, device)
        kind = opened.kinds.get(told.kind)
        args = values.arguments(arg or (), known_commands(kind).get(name))
        new = new_command(told, kind, name, args, id=uuid4(), now=opened.now, expires_after_s=after_s)
        known = profiles.load(opened.kinds, opened.settings.profiles_dir)
        new = await prepared(opened.connection, new, known, opened.now, patient=expires is None)
        await queue.enqueue(opened.connection, [new], opened.now, by=await opened.actor())
        found = await answered.get_command(opened.connection, new.id, alive_after=_alive_after(opened))
        while wait and not found.settled:
            await asyncio.sleep(LOOK_S)
            await answered.expire(opened.connection, opened.now)
            found = await answered.get_command(opened.connection, new.id, alive_after=_alive_after(opened))
        return found

    found = run(work)
    if as_json:
        output.print_json(found)
    else:
        detail = f": {said}" if (said := _detail(found)) else ""
        output.line(f"{found.name} to {found.device} is {found.status}{detail} ({found.id})")
    if wait and found.status != "succeeded":
        raise typer.Exit(1)


def _alive_after(opened: OpenDatabase) -> datetime:
    now, speed = clock.parse(opened.settings.clock)
    return states.alive_after(now(), speed)


def _detail(command: SentCommand) -> str | None:
    """Return what is said beside the state of a command, and what is known of it meanwhile."""
    situation = None if command.situation is None else command.situation.said()
    return "; ".join(filter(None, (command.detail, situation))) or None


def commands(
    device: Annotated[str | None, typer.Argument(help="only those to this device")] = None,
    status: Annotated[str | None, typer.Option(help="only those that stand so, such as queued")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """Show what devices were told, and what became of it, the last first."""
    if status is not None and status not in answered.STATUSES:
        raise typer.BadParameter(f"one of {', '.join(answered.STATUSES)}", param_hint="--status")

    async def work(opened: OpenDatabase) -> list[SentCommand]:
        known = None if device is None else (await get_device(opened.connection, device)).name
        return await answered.list_commands(
            opened.connection, device=known, status=status, limit=limit, alive_after=_alive_after(opened)
        )

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(c.created_at, c.device, c.name, c.args or None, c.status, _detail(c), c.author) for c in found]
    columns = ("given", "device", "command", "arguments", "status", "detail", "by")
    output.table(columns, rows, empty="None yet. `nabd device command DEVICE report_now` gives one.")
