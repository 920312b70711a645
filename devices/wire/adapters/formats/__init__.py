"""Formats that sources speak: (topic, bytes) in, uplinks, events and refusals out. One module a format.

Pure: must not know profiles, nor how the bytes came here. docs/formats.md says what is read of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from devices.wire.adapters.formats import chirpstack, ngsi, senml, things_stack, ultralight
from devices.wire.adapters.formats.heard import (
    Event,
    FormatAway,
    FormatReader,
    Happening,
    Heard,
    RefusedPart,
    Stateless,
)
from devices.wire.adapters.formats.mavlink import Mavlink
from devices.wire.adapters.formats.sparkplug import Sparkplug

__all__ = ["FORMATS", "Event", "FormatAway", "FormatReader", "Happening", "Heard", "RefusedPart"]

FORMATS: Final[Mapping[str, Callable[[], FormatReader]]] = {
    "chirpstack": lambda: Stateless(chirpstack.read),
    "things_stack": lambda: Stateless(things_stack.read),
    "senml_json": lambda: Stateless(senml.read_text),
    "senml_cbor": lambda: Stateless(senml.read_binary),
    "sparkplug": Sparkplug,
    "ngsi": lambda: Stateless(ngsi.read),
    "ultralight": lambda: Stateless(ultralight.read),
    "mavlink": Mavlink,
}
"""What makes a reader, by a format's name. Each source has its own: some remember what came before.

Raises:
    FormatAway: what reads it is not installed.
"""
