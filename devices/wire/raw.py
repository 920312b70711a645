"""The reserved key `raw`: what a device sent, beside what a gateway made of it.

Pure. A reading that is stored leaves it behind; a rejection keeps it with the rest of the element.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

KEY = "raw"
LIMIT = 4_096
"""Most bytes that travel along, before they are base64."""


class _Element(msgspec.Struct):
    raw: str


_element = msgspec.json.Decoder(_Element)


def member(sent: bytes) -> dict[str, str]:
    """Return `raw` as a member of an element; nothing where the bytes are too many."""
    return {} if len(sent) > LIMIT else {KEY: base64.b64encode(sent).decode("ascii")}


def sent_by_device(element: bytes) -> bytes | None:
    """Return what the device sent, as an element carries it; None where it carries none, or too much."""
    try:
        sent = base64.b64decode(_element.decode(element).raw, validate=True)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, binascii.Error, ValueError):
        return None
    return sent if len(sent) <= LIMIT else None


def shown(sent: bytes) -> str:
    """Return what a device sent as people read it: text as it is, anything else in hexadecimal after 0x."""
    try:
        text = sent.decode()
    except UnicodeDecodeError:
        text = ""
    return text if text.replace("\n", "").replace("\t", "").isprintable() and text else f"0x{sent.hex()}"
