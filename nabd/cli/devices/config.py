"""`nabd device config`: what a device is to be set to, and which devices are set otherwise."""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

import typer

from devices.commands import configured
from devices.commands.configuration import DeviceConfig, settable
from devices.kinds.kind import Command
from devices.registry.registry import get_device
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run


def config(
    device: Annotated[str | None, typer.Argument(help="the device; left out: all with --drift")] = None,
    change: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="an empty value takes a wish back")
    ] = None,
    drift: Annotated[bool, typer.Option("--drift", help="list devices that are set otherwise")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON: one object a line")] = False,
) -> None:
    """Show or change what a device is to be set to; the broker keeps it for when the device connects."""
    if drift == (device is not None):
        raise typer.BadParameter("name a device, or say --drift")
    if drift:
        _show_drift(as_json=as_json)
        return
    assert device is not None

    async def work(opened: OpenDatabase) -> DeviceConfig:
        if not change:
            return await configured.get_config(opened.connection, device)
        kind = opened.kinds.get((await get_device(opened.connection, device)).kind)
        # Typed as arguments of a command are.
        known = Command(name="config", arguments=tuple(settable(kind).values()))
        wanted = {n: None if v == "" else v for n, v in values.arguments(change, known).items()}
        by = await opened.actor()
        return await configured.desire(opened.connection, opened.kinds, device, wanted, opened.now, by=by)

    found = run(work)
    if as_json:
        output.print_json(_as_document(found))
        return
    names = dict.fromkeys((*found.desired, *found.reported, *found.refused))
    rows = [(n, found.desired.get(n), found.reported.get(n), found.refused.get(n)) for n in names]
    output.table(("name", "wanted", "reported", "refused"), rows, empty="Nothing is wanted of it.")
    output.line(f"{found.device} is {found.agreement}; firmware {found.firmware or 'unknown'}.")


def _show_drift(*, as_json: bool) -> None:
    async def work(opened: OpenDatabase) -> list[DeviceConfig]:
        return await configured.list_configs(opened.connection, drifting=True, limit=10_000)

    found = run(work)
    if as_json:
        for one in found:
            output.print_json(_as_document(one))
        return
    rows = [(c.device, c.agreement, " ".join(c.drift), c.desired_at, c.reported_at) for c in found]
    columns = ("device", "agreement", "otherwise", "wanted", "reported")
    output.table(columns, rows, empty="Every device is set as it is wanted.")


def _as_document(found: DeviceConfig) -> dict[str, Any]:
    known = {field.name: getattr(found, field.name) for field in fields(found)}
    return {**known, "drift": found.drift, "agreement": found.agreement}
