"""What `nabd device add` says beside "registered": credentials, lines to copy, what the device says first."""

from __future__ import annotations

import asyncio
import secrets
import sys
from dataclasses import asdict
from datetime import datetime
from typing import Any

import segno

from devices.credentials import issuing
from devices.credentials.credential import IssuedPassword
from devices.credentials.first_message import FirstMessage, first_message
from devices.instants import to_datetime
from devices.registry.registry import Device
from devices.wire.topics import GATEWAY
from nabd.cli import output
from nabd.cli.database import OpenDatabase
from nabd.identity import handing_over
from readings import first_heard
from readings.first_heard import FirstHeard
from store.audit import Actor

LOOK_EVERY_S = 0.5


def signs_in(opened: OpenDatabase, device: Device) -> bool:
    """Tell whether a device speaks at the broker itself, by a password."""
    speaks = device.kind in opened.kinds or device.kind == GATEWAY
    return speaks and not device.relays and ":" not in device.wire


async def password_of(opened: OpenDatabase, device: Device, by: Actor) -> IssuedPassword:
    """Make a device's first password."""
    (made,) = await issuing.rotate_passwords(
        opened.connection, opened.kinds, [device.name], now=opened.now, by=by, random=secrets.token_bytes
    )
    return made


def lines_of(opened: OpenDatabase, issued: IssuedPassword, broker: str) -> FirstMessage:
    """Return what a device is to do, for a broker given as HOST or HOST:PORT."""
    return first_message(issued, opened.kinds.get(issued.kind), handing_over.with_port(broker))


def document(issued: IssuedPassword, lines: FirstMessage) -> dict[str, Any]:
    """Return credentials and lines as JSON shows them."""
    return {"username": issued.username, "password": issued.password, "connect": asdict(lines)}


def show(issued: IssuedPassword, lines: FirstMessage) -> None:
    """Print credentials, a code for a phone, and the lines."""
    output.table(("user name", "password"), [(issued.username, issued.password)])
    output.line("The password is told this once; the broker goes by it within ten seconds.")
    if sys.stdout.isatty():
        segno.make(lines.code, error="l", micro=False).terminal(border=2, compact=True)
    else:
        output.line(f"Code: {lines.code}")
    for title, text in (
        ("From a terminal", lines.mosquitto_pub),
        ("From Python", lines.python),
        ("From an ESP32", lines.arduino),
        ("LoRaWAN hardware, in ChirpStack", lines.chirpstack),
    ):
        output.line(f"\n{title}:\n\n{text}")


async def wait(opened: OpenDatabase, device: Device, since: datetime, timeout_s: float) -> FirstHeard | None:
    """Return what became of the first message of a device since an instant; None: it said nothing in time."""
    deadline = asyncio.get_running_loop().time() + timeout_s
    while asyncio.get_running_loop().time() < deadline:
        heard = await first_heard.of_device(opened.connection, device, since)
        if heard is not None:
            return heard
        await asyncio.sleep(LOOK_EVERY_S)
    return None


def began(opened: OpenDatabase) -> datetime:
    """Return now, from which on messages count as first ones."""
    return to_datetime(opened.now())


def show_heard(device: Device, heard: FirstHeard | None) -> None:
    """Print what became of a first message."""
    if heard is None:
        output.complain(
            f"{device.name} said nothing in time. Does it reach the broker, and is its topic right?"
            f" `nabd device show {device.name}` and `nabd rejections` tell more"
        )
    elif heard.stored:
        values = ", ".join(f"{name} = {output.cell(value)}" for name, value in heard.measurements.items())
        output.line(f"Stored: observed {output.cell(heard.observed_at)}, {values or 'no measurement'}.")
        if heard.note:
            output.line(heard.note)
    else:
        where = f" at {heard.pointer}" if heard.pointer else ""
        output.complain(f"rejected as {heard.reason}{where}: {heard.detail}")
