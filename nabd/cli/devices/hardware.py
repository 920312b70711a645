"""`nabd device replace` and `hardware`: what stands at a place, and what stood there before."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.registry.hardware import Hardware, find_place, list_hardware, replace_hardware
from devices.registry.registry import Device
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.devices.document import show_done

Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def replace(
    old: Annotated[str, typer.Argument(help="serial of the old hardware, or the device while it has none")],
    new: Annotated[str, typer.Argument(help="serial of the new hardware")],
    wire_name: Annotated[
        str | None, typer.Option(help="the id that it uses on the wire, if not the old one's")
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="since when: an instant, or how long ago, such as 2h")
    ] = None,
    reason: Annotated[str, typer.Option(help="why the old one was removed")] = "",
    as_json: Json = False,
) -> None:
    """Let other hardware stand where some stood: the place keeps its readings, alerts and work."""

    async def work(opened: OpenDatabase) -> Device:
        name = await find_place(opened.connection, old)
        since = values.instant(at, opened.now())
        return await replace_hardware(
            opened.connection,
            name,
            new,
            wire_name=wire_name,
            at=since,
            reason=reason,
            now=opened.now,
            by=await opened.actor(),
        )

    show_done(run(work), "now the place of other hardware", as_json=as_json)


def hardware(
    name: Annotated[str, typer.Argument(help="the device")],
    as_json: Json = False,
) -> None:
    """List the hardware that stands, and stood, at a device's place; the newest first."""

    async def work(opened: OpenDatabase) -> list[Hardware]:
        return await list_hardware(opened.connection, name)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(h.serial, h.wire_name, h.installed_at, h.removed_at, h.removed_reason) for h in found]
    output.table(("serial", "on the wire", "installed", "removed", "why"), rows)
