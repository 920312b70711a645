"""Formats that sources speak: (topic, bytes) in, uplinks, events and refusals out. One module a format.

Pure: must not know profiles, nor how the bytes came here. docs/formats.md says what is read of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from devices.wire.adapters.formats import chirpstack, things_stack
from devices.wire.adapters.formats.heard import Event, Happening, Heard, Reader, Refused, Stateless

__all__ = ["FORMATS", "Event", "Happening", "Heard", "Reader", "Refused"]

FORMATS: Final[Mapping[str, Callable[[], Reader]]] = {
    "chirpstack": lambda: Stateless(chirpstack.read),
    "things_stack": lambda: Stateless(things_stack.read),
}
"""What makes a reader, by a format's name. Each source has its own: some remember what came before."""
