"""`nabd device add`: one device, and what it needs to say its first word."""

from __future__ import annotations

from typing import Annotated

import typer

from devices.registry.registration import NewDevice, add_device
from nabd.cli import output, values
from nabd.cli.database import OpenDatabase, run
from nabd.cli.devices import first_words
from nabd.cli.devices.credentials import broker_of
from nabd.cli.devices.document import as_document, show_done
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
from readings.first_heard import FirstHeard


def add(
    name: Name,
    kind: Annotated[str, typer.Option(help="its declared kind, or gateway, circuit, cabinet")],
    municipality: Annotated[str, typer.Option(help="the municipality it stands in")],
    parent: Parent = None,
    relay: Relay = None,
    title: Title = None,
    title_in: TitleIn = None,
    lat: Lat = None,
    lon: Lon = None,
    attr: Attr = None,
    serial: Serial = None,
    installed_at: Installed = None,
    planned: Planned = False,
    district: District = None,
    broker: Annotated[
        str | None, typer.Option(help="HOST or HOST:PORT in the lines; else what the certificate says")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="register it only; `nabd device rotate` makes one later")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="wait for its first message, and say what became of it")
    ] = False,
    timeout: Annotated[str, typer.Option(help="how long --wait waits")] = "10m",
    as_json: Json = False,
) -> None:
    """Register one device, and print what it needs to say its first word.

    It is installed now unless something else is said. A device that signs in itself gets a password, told
    this once, with a code for a phone and lines for a terminal, Python, an ESP32 and ChirpStack. Exits with 1
    when --wait sees a rejection, or nothing.
    """
    patience = values.duration(timeout).total_seconds()

    async def work(opened: OpenDatabase) -> FirstHeard | None:
        new = NewDevice(
            name=name,
            kind=kind,
            municipality=municipality,
            parent=parent,
            relays=tuple(relay or ()),
            serial=serial,
            title=title or "",
            titles=values.pairs(title_in or ()),
            lat=lat,
            lon=lon,
            attributes=values.attributes(attr or (), opened.kinds.get(kind)),
            installed_at=values.instant(installed_at, opened.now()),
            planned=planned,
            district=district,
        )
        by, began = await opened.actor(), first_words.began(opened)
        made = lines = None
        async with opened.connection.transaction():
            device = await add_device(opened.connection, opened.kinds, new, opened.now, by=by)
            if not no_password and first_words.signs_in(opened, device):
                made = await first_words.password_of(opened, device, by)
                lines = first_words.lines_of(opened, made, broker or broker_of(opened))
        if as_json:
            more = {} if made is None or lines is None else first_words.document(made, lines)
            output.print_json(as_document(device) | more)
        else:
            show_done(device, "registered", as_json=False)
            if made is not None and lines is not None:
                first_words.show(made, lines)
        if not wait:
            return None
        if not as_json:
            output.line(f"\nWaiting for its first message, {timeout} at most.")
        heard = await first_words.wait(opened, device, began, patience)
        if as_json:
            output.print_json({"heard": heard})
        else:
            first_words.show_heard(device, heard)
        return heard

    heard = run(work)
    if wait and (heard is None or not heard.stored):
        raise typer.Exit(1)
