"""Bytes to typed documents, within bounds, and every mistake as an Unreadable that names its place. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Final, TypeVar

import msgspec

from devices.instants import to_microseconds
from devices.nesting import MAX_DEPTH, is_too_deep
from devices.wire.adapters.uplink import Unreadable

MAX_MESSAGE = 262_144
"""Largest message of a source, in bytes: as much as a broker of ours lets through."""
MAX_UPLINKS = 1_000
"""Most devices and instants that one message may speak of."""
MAX_NAME = 256
"""Longest name of a device or a value, in characters."""
LAST_INSTANT = 10**17
"""No instant is at or after it, in microseconds: the year 5138, as on the wire."""

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with an offset; finer than microseconds is cut off."""
Counter = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
"""Frame counters, ports and the like: 32 bits without sign."""

_T = TypeVar("_T")
_EUI: Final = re.compile(r"[0-9A-Fa-f]{16}")


def check_size(payload: bytes) -> None:
    """Refuse what is empty or larger than MAX_MESSAGE.

    Raises:
        Unreadable: it is.
    """
    if not payload.strip():
        raise Unreadable("the message is empty")
    if len(payload) > MAX_MESSAGE:
        raise Unreadable(f"{len(payload)} bytes, the limit is {MAX_MESSAGE}")


def read_json(decoder: msgspec.json.Decoder[_T], payload: bytes) -> _T:
    """Return the document that a payload is.

    Raises:
        Unreadable: too large, nested too deeply, no JSON, or of another shape; says where.
    """
    check_size(payload)
    if is_too_deep(payload):
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return decoder.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def converted(document: object, shape: type[_T]) -> _T:
    """Return a document that another decoder made, as `shape`.

    Raises:
        Unreadable: it has another shape; says where.
    """
    try:
        return msgspec.convert(document, shape)
    except (msgspec.MsgspecError, RecursionError, OverflowError) as error:
        raise Unreadable(str(error)) from error


def eui(said: str) -> str:
    """Return a DevEUI as devices are named by it: sixteen upper-case hexadecimal digits.

    Raises:
        Unreadable: it is none.
    """
    if not _EUI.fullmatch(said):
        raise Unreadable(f"{said[:40]!r} is no DevEUI: expected 16 hexadecimal digits")
    return said.upper()


def named(said: str, what: str) -> str:
    """Return a name that a source gave to a device or a value.

    Raises:
        Unreadable: it is empty, too long, or holds characters that nobody can see.
    """
    if not said or len(said) > MAX_NAME or not said.isprintable():
        raise Unreadable(f"{said[:40]!r} is no name of {what}: 1 to {MAX_NAME} visible characters")
    return said


def microseconds(instant: datetime | None) -> int | None:
    """Return an instant as the rest of Nabd counts it; None stays None."""
    return None if instant is None else to_microseconds(instant)
