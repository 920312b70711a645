"""A device as commands print it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from devices.registry.registry import Device
from nabd.cli import output


def as_document(device: Device) -> dict[str, Any]:
    """Return a device as JSON shows it."""
    document = {field.name: getattr(device, field.name) for field in fields(device)}
    return {**document, "attributes": dict(device.attributes), "life": device.life}


def show_done(device: Device, done: str, *, as_json: bool) -> None:
    """Print what was done to a device."""
    if as_json:
        output.print_json(as_document(device))
    else:
        output.line(f"{device.name} ({device.kind} in {device.municipality}) is {done}.")
