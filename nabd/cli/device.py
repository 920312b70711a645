"""`nabd device`: the registry of devices in the terminal.

Commands convert and print; what is accepted is decided in devices/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

import typer

from devices import profiles
from devices.registry import registry
from devices.registry.editing import edit_device, reinstate, retire_device
from devices.registry.life import Life
from devices.registry.registry import Device
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.devices.adding import add
from nabd.cli.devices.bans import ban, banned, unban
from nabd.cli.devices.commands import command, commands
from nabd.cli.devices.config import config
from nabd.cli.devices.credentials import credentials, revoke, rotate
from nabd.cli.devices.document import as_document, show_done
from nabd.cli.devices.hardware import hardware, replace
from nabd.cli.devices.importing import import_
from nabd.cli.devices.life import install
from nabd.cli.devices.notes import note, notes
from nabd.cli.devices.options import (
    Attr,
    District,
    Installed,
    Json,
    Lat,
    Lon,
    Name,
    Parent,
    Planned,
    Relay,
    Serial,
    Title,
    TitleIn,
)
from nabd.cli.devices.reading import read, readings_by_hand
from nabd.cli.intervals import intervals
from readings import latest, proposals, quarantine
from readings.latest import Latest
from readings.planned import hint_of
from readings.proposals import Proposal

app = typer.Typer(no_args_is_help=True, help="Register, find, change and retire devices.")
app.command()(add)
app.command("import")(import_)
app.command()(intervals)
app.command()(install)
app.command()(replace)
app.command()(hardware)
app.command()(note)
app.command()(notes)
app.command()(read)
app.command()(readings_by_hand)
app.command()(command)
app.command()(commands)
app.command()(config)
app.command()(ban)
app.command()(unban)
app.command()(banned)
app.command()(credentials)
app.command()(rotate)
app.command()(revoke)


@app.command("list")
def list_(
    municipality: Annotated[str | None, typer.Option(help="only this municipality's")] = None,
    kind: Annotated[str | None, typer.Option(help="only this kind")] = None,
    parent: Annotated[str | None, typer.Option(help="only what this device feeds or relays")] = None,
    relay: Annotated[str | None, typer.Option(help="only what this gateway relays")] = None,
    district: Annotated[str | None, typer.Option(help="only in the district of this code")] = None,
    search: Annotated[str | None, typer.Option(help="only names or titles with this text")] = None,
    retired: Annotated[bool, typer.Option("--retired", help="the retired ones instead")] = False,
    life: Annotated[Life | None, typer.Option(help="only those of this life")] = None,
    after: Annotated[str | None, typer.Option(help="continue after this name")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """List devices by name."""

    async def work(opened: OpenDatabase) -> list[Device]:
        return await registry.list_devices(
            opened.connection,
            municipality=municipality,
            kind=kind,
            parent=parent,
            relay=relay,
            district=district,
            search=search,
            retired=retired,
            life=life,
            after=after,
            limit=limit,
        )

    devices = run(work)
    if as_json:
        for device in devices:
            output.print_json(as_document(device))
        return
    rows = [
        (d.name, d.kind, d.municipality, d.district, d.parent, " ".join(d.relays), d.life, d.title)
        for d in devices
    ]
    columns = ("device", "kind", "municipality", "district", "parent", "relays", "life", "title")
    output.table(columns, rows, empty="No such device. `nabd device add` registers one.")
    if len(devices) == limit:
        output.line(f"There may be more: --after {devices[-1].name}")


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """Show one device, and its newest reading."""

    async def work(opened: OpenDatabase) -> tuple[Device, Latest | None]:
        device = await registry.get_device(opened.connection, name)
        return device, await latest.get_latest(opened.connection, name)

    device, newest = run(work)
    hint = hint_of(device, speaks=newest is not None)
    if as_json:
        output.print_json({"device": as_document(device), "latest": newest, "hint": hint})
        return
    output.table(("field", "value"), _described(device, newest))
    if hint is not None:
        output.line(f"{hint}.")


def _described(device: Device, newest: Latest | None) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [
        ("device", device.name),
        ("kind", device.kind),
        ("municipality", device.municipality),
        ("parent", device.parent),
        ("relays", " ".join(device.relays) or None),
        ("title", " / ".join(filter(None, dict.fromkeys((device.title, *device.titles.values()))))),
        ("position", f"{device.lat}, {device.lon}" if device.lat is not None else None),
        ("district", _standing(device.district, device.district_title, by_hand=device.district_by_hand)),
        ("street", _standing(device.street, device.street_title)),
        (
            "retired",
            f"{output.cell(device.retired_at)}: {device.retired_reason}" if device.retired_at else None,
        ),
        ("life", device.life),
        ("installed", device.installed_at),
        ("serial", device.serial),
        ("on the wire", device.wire if device.wire != device.name else None),
        ("version", device.version),
    ]
    rows += [(f"attr.{name}", value) for name, value in sorted(device.attributes.items())]
    if newest is None:
        return [*rows, ("newest reading", "none yet")]
    rows += [("observed", newest.observed_at), ("received", newest.received_at)]
    return [*rows, *sorted(newest.measurements.items())]


def _standing(code: str | None, title: Mapping[str, str], *, by_hand: bool = False) -> str | None:
    """Return a district or a street with its names, and whether somebody set it."""
    if code is None:
        return None
    names = " / ".join(dict.fromkeys(title.values()))
    return f"{code}: {names}{' (set by hand)' if by_hand else ''}"


@app.command()
def edit(
    name: Name,
    municipality: Annotated[str | None, typer.Option(help="move it to this municipality")] = None,
    parent: Parent = None,
    no_parent: Annotated[bool, typer.Option("--no-parent", help="nothing feeds it")] = False,
    relay: Relay = None,
    no_relay: Annotated[bool, typer.Option("--no-relay", help="no gateway relays it")] = False,
    title: Title = None,
    title_in: TitleIn = None,
    lat: Lat = None,
    lon: Lon = None,
    attr: Attr = None,
    serial: Serial = None,
    installed_at: Installed = None,
    planned: Planned = False,
    district: District = None,
    back: Annotated[bool, typer.Option("--reinstate", help="put it back into service")] = False,
    as_json: Json = False,
) -> None:
    """Change a device; what is not named stays."""
    if parent is not None and no_parent:
        raise typer.BadParameter("--parent and --no-parent exclude each other")
    if relay and no_relay:
        raise typer.BadParameter("--relay and --no-relay exclude each other")
    said = {
        "municipality": municipality,
        "parent": parent,
        "title": title,
        "lat": lat,
        "lon": lon,
        "serial": serial,
    }
    changes: dict[str, Any] = {field: value for field, value in said.items() if value is not None}
    changes |= {"titles": values.pairs(title_in)} if title_in else {}
    changes |= {"parent": None} if no_parent else {}
    changes |= {"relays": tuple(relay or ())} if relay or no_relay else {}
    changes |= {"district": district} if district is not None else {}
    if installed_at is not None and planned:
        raise typer.BadParameter("--installed-at and --planned exclude each other")
    changes |= {"installed_at": None} if planned else {}
    if not changes and not attr and not back and installed_at is None:
        raise typer.BadParameter("name at least one change; `nabd device edit --help` lists them")

    async def work(opened: OpenDatabase) -> Device:
        device = await registry.get_device(opened.connection, name)
        if installed_at is not None:
            changes["installed_at"] = values.instant(installed_at, opened.now())
        if attr:
            changes["attributes"] = values.attributes(attr, opened.kinds.get(device.kind))
        who = await opened.actor()
        async with opened.connection.transaction():
            if changes:
                device = await edit_device(
                    opened.connection, opened.kinds, name, changes, now=opened.now, by=who
                )
            return await reinstate(opened.connection, name, opened.now, by=who) if back else device

    show_done(run(work), "changed", as_json=as_json)


@app.command()
def retire(
    name: Name,
    reason: Annotated[str, typer.Option(help="why, for those who ask later")],
    as_json: Json = False,
) -> None:
    """Take a device out of service; its readings stay."""

    async def work(opened: OpenDatabase) -> Device:
        return await retire_device(opened.connection, name, reason, opened.now, by=await opened.actor())

    show_done(run(work), "retired", as_json=as_json)


@app.command()
def adopt(
    name: Name,
    title: Title = None,
    lat: Lat = None,
    lon: Lon = None,
    attr: Attr = None,
    kind: Annotated[str | None, typer.Option(help="its kind, where its topics do not say")] = None,
    replace: Annotated[
        str | None, typer.Option(help="the place whose hardware it replaces, as the quarantine proposes")
    ] = None,
    serial: Annotated[
        str | None, typer.Option(help="with --replace: its serial number, if not its name")
    ] = None,
    as_json: Json = False,
) -> None:
    """Register a device from quarantine, or let it be the hardware of a place, and replay what it sent."""
    if replace is not None and (title or lat is not None or lon is not None or attr or kind):
        raise typer.BadParameter("with --replace the place keeps its kind, title, position and attributes")

    async def work(opened: OpenDatabase) -> tuple[Device, int]:
        by = await opened.actor()
        if replace is not None:
            return await quarantine.take_place(
                opened.connection, name, replace, opened.now, serial=serial, reason="replaced", by=by
            )
        found = await quarantine.unknown_devices(opened.connection, device=name, limit=1)
        declared = opened.kinds.get(kind or found[0].kind) if found else None
        return await quarantine.adopt(
            opened.connection,
            opened.kinds,
            name,
            opened.now,
            title=title or "",
            lat=lat,
            lon=lon,
            attributes=values.attributes(attr or (), declared),
            kind=kind,
            by=by,
        )

    device, waiting = run(work)
    if as_json:
        output.print_json({"device": as_document(device), "replayed": waiting})
        return
    done = f"stands at {device.name} now" if replace is not None else "is registered"
    output.line(f"{name} {done}, in {device.municipality}; {waiting} messages will be replayed.")


@app.command("quarantine")
def quarantine_(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 100,
    as_json: Json = False,
) -> None:
    """List devices that send but are not registered where they say they are, and what they probably are."""

    async def work(opened: OpenDatabase) -> list[tuple[quarantine.UnknownDevice, Proposal]]:
        unknown = await quarantine.unknown_devices(opened.connection, limit=limit)
        known = profiles.load(opened.kinds, opened.settings.profiles_dir)
        proposed = await proposals.proposals(opened.connection, opened.kinds, known, unknown, opened.now)
        return list(zip(unknown, proposed, strict=True))

    found = run(work)
    if as_json:
        for one, proposal in found:
            fields = asdict(one)
            payload = output.payload_fields(fields.pop("payload"))
            output.print_json({**fields, **payload, "proposal": proposal})
        return
    rows = [
        (u.device, u.kind, u.municipality, u.gateway, u.reason, u.count, u.last_at, _proposed(u, p))
        for u, p in found
    ]
    columns = ("device", "kind", "municipality", "gateway", "reason", "count", "last", "probably")
    output.table(columns, rows, empty="The quarantine is empty.")
    if found:
        output.line("`nabd device adopt DEVICE` registers one and replays what it sent.")
    if any(proposal.place for _, proposal in found):
        output.line("`nabd device adopt DEVICE --replace PLACE` lets one be the hardware of a silent place.")


def _proposed(unknown: quarantine.UnknownDevice, proposal: Proposal) -> str:
    parts = []
    if (known := proposal.recognised) is not None and (known.profile or known.kind != unknown.kind):
        parts.append(f"{known.kind} (profile {known.profile})" if known.profile else known.kind)
    if (place := proposal.place) is not None:
        away = "" if place.distance_m is None else f" {place.distance_m:.0f} m away"
        parts.append(f"at {place.device},{away} silent since {output.cell(place.since)}")
    return "; ".join(parts)
