"""`nabd device install`: a planned device stands in the street from now on."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.registry.installing import install_device
from devices.registry.registry import Device
from nabd.cli import values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.devices.document import show_done


def install(
    name: Annotated[str, typer.Argument(help="the id the device uses on the wire")],
    at: Annotated[
        str | None, typer.Option(help="since when: an instant, or how long ago, such as 2h")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object")] = False,
) -> None:
    """Install a planned device: from then on it is expected to report, and rules judge it."""

    async def work(opened: OpenDatabase) -> Device:
        since = values.instant(at, opened.now())
        return await install_device(opened.connection, name, since, opened.now, by=await opened.actor())

    show_done(run(work), "installed", as_json=as_json)
