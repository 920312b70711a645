"""UltraLight 2.0 of FIWARE's IoT agents: `t|21.5|h|60#t|21.7|h|59`, groups of names and values.

Pure. By MQTT the topic says whose it is: `/KEY/DEVICE/attrs`, or `/KEY/DEVICE/attrs/NAME` before a lone
value, with or without `/ul` before; over HTTP the parameters `k` and `i` stand there. An odd group begins
with its instant.
"""

from __future__ import annotations

import math
import re
from typing import Final

from devices.wire import instants
from devices.wire.adapters.formats.bounded import MAX_UPLINKS, check_size, named
from devices.wire.adapters.formats.heard import Event, Happening, Heard, RefusedPart
from devices.wire.adapters.uplink import Unreadable, Uplink

_TOPIC: Final = re.compile(r"/?(?:ul/)?[^/]+/(?P<device>[^/]+)/(?P<what>attrs|cmdexe)(?:/(?P<name>[^/]+))?")
_NUMBER: Final = re.compile(r"[+-]?(\d+(?:\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TIME_NAMES: Final = ("TimeInstant",)


def read(topic: str, payload: bytes, received_at: int) -> Heard:
    """Return what a message says; see heard.FormatReader. A group that cannot be read is refused alone.

    Raises:
        Unreadable: the topic names no device, or the payload is no text.
    """
    addressed = _TOPIC.fullmatch(topic)
    if addressed is None:
        raise Unreadable(f"{topic[:80]!r} names no device: expected /KEY/DEVICE/attrs")
    check_size(payload)
    try:
        text = payload.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise Unreadable(str(error)) from error
    device = named(addressed["device"], "a device")
    if addressed["what"] == "cmdexe":
        return _answer(device, text)
    if addressed["name"]:
        values = {named(addressed["name"], "a value"): _value(text)}
        return Heard(uplinks=[Uplink(device=device, raw=payload, values=values)])
    groups = text.split("#")
    if len(groups) > MAX_UPLINKS:
        raise Unreadable(f"{len(groups)} groups, the limit is {MAX_UPLINKS}")
    heard = Heard()
    for group in groups:
        try:
            heard.uplinks.append(_group(device, group))
        except Unreadable as error:
            heard.refused.append(RefusedPart(raw=group.encode(), why=str(error), device=device))
    return heard


def _group(device: str, text: str) -> Uplink:
    parts = text.split("|")
    said_at = parts.pop(0) if len(parts) % 2 else None
    if not parts:
        raise Unreadable(f"{text[:40]!r} is no pair of a name and a value")
    values = {
        named(name.strip(), "a value"): value for name, value in zip(parts[::2], parts[1::2], strict=True)
    }
    for name in _TIME_NAMES:
        said_at = values.pop(name, None) or said_at
    return Uplink(
        device=device,
        raw=text.encode(),
        at=None if said_at is None else _instant(said_at),
        values={name: _value(value.strip()) for name, value in values.items()},
    )


def _instant(text: str) -> int:
    try:
        return instants.parse(text.strip())
    except instants.BadTime as error:
        raise Unreadable(f"{text[:40]!r} is no instant: {error}") from error


def _value(text: str) -> object:
    """Return what a text stands for: everything is text there."""
    if text in ("true", "false"):
        return text == "true"
    if text == "null":
        return None
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if not math.isfinite(number):
        raise Unreadable(f"{text[:40]} is larger than any number")
    return int(text) if re.fullmatch(r"[+-]?\d{1,15}", text) else number


def _answer(device: str, text: str) -> Heard:
    """What became of a command: `DEVICE@COMMAND|RESULT`."""
    whose, _, rest = text.partition("@")
    command, bar, result = rest.partition("|")
    if whose != device or not command or not bar:
        raise Unreadable(f"{text[:80]!r} answers no command: expected {device}@COMMAND|RESULT")
    return Heard(
        events=[Event(device=device, happening=Happening.DELIVERED, downlink=(command,), text=result)]
    )
