"""`nabd device note` and `notes`: what people write about a device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from devices.registry import notes as kept
from devices.registry.notes import DeviceNote
from nabd.cli import output
from nabd.cli.database import OpenDatabase, run

Device = Annotated[str, typer.Argument(help="the device")]
Json = Annotated[bool, typer.Option("--json", help="print JSON: one object a line")]


def note(
    device: Device, text: Annotated[str, typer.Argument(help="what is to be known")], as_json: Json = False
) -> None:
    """Write a note on a device, for whoever comes after you."""

    async def work(opened: OpenDatabase) -> DeviceNote:
        return await kept.write_note(opened.connection, device, text, opened.now, by=await opened.actor())

    written = run(work)
    if as_json:
        output.print_json(written)
    else:
        output.line(f"Noted on {written.device}; `nabd device notes {written.device}` shows all.")


def notes(
    device: Device,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """Show the notes on a device, the last first."""

    async def work(opened: OpenDatabase) -> Sequence[DeviceNote]:
        return await kept.list_notes(opened.connection, device, limit=limit)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(one)
        return
    rows = [(one.written_at, one.author, one.body) for one in found]
    output.table(("at", "by", "note"), rows, empty="Nobody has written about it.")
