"""Where a plain JSON message says what every message says of its device. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from devices.nesting import MAX_DEPTH, is_too_deep
from devices.wire import instants
from devices.wire.adapters.profile.paths import NoValue, ValuePath
from devices.wire.adapters.uplink import Unreadable, Uplink

ENCODINGS = ("hex", "base64")


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagePaths:
    """Paths into the document, or into its topic ($topic[2]); None where it does not say.

    values: where the device's own values stand, None for the whole document. payload: the device's bytes as
    text.
    """

    device: ValuePath | None = None
    at: ValuePath | None = None
    counter: ValuePath | None = None
    port: ValuePath | None = None
    payload: ValuePath | None = None
    encoding: str = "hex"
    values: ValuePath | None = None
    radio: Mapping[str, ValuePath] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[ValuePath, ...]:
        """What it reads beside the values, where both stand in one document."""
        if self.values is not None:
            return ()
        said = (self.device, self.at, self.counter, self.port, self.payload, *self.radio.values())
        return tuple(path for path in said if path is not None)

    def uplink(self, document: bytes, topic: str, device: str) -> Uplink:
        """Return what a message says of its device.

        Raises:
            Unreadable: no JSON, or nobody names the device.
        """
        root = parsed(document)
        around = {"$": root, "$topic": topic.split("/") if topic else []}

        def said(path: ValuePath | None) -> object:
            if path is None:
                return None
            found, _ = path.find(root, around)
            return None if isinstance(found, NoValue) else found

        named = said(self.device)
        name = str(named) if isinstance(named, str | int) else device
        if not name:
            where = f"nothing stands at {self.device.text}" if self.device else "the profile names no path"
            raise Unreadable(f"which device it is of is not said: {where}")
        counter, port = said(self.counter), said(self.port)
        values = root if self.values is None else said(self.values)
        return Uplink(
            device=name,
            raw=document,
            at=_instant(said(self.at)),
            payload=self._payload(said(self.payload)),
            port=port if isinstance(port, int) else None,
            values=values
            if isinstance(values, Mapping)
            else {"values": values}
            if values is not None
            else {},
            counter=counter if isinstance(counter, int) and counter >= 0 else None,
            radio={n: found for n, path in self.radio.items() if (found := said(path)) is not None},
        )

    def _payload(self, text: object) -> bytes | None:
        if text is None:
            return None
        try:
            return decoded(str(text), self.encoding)
        except ValueError as error:
            raise Unreadable(f"the payload is not {self.encoding}: {error}") from None


def parsed(document: bytes) -> object:
    """Return a JSON document.

    Raises:
        Unreadable: it is none, or nests too deeply.
    """
    if is_too_deep(document):
        raise Unreadable(f"nested deeper than {MAX_DEPTH} levels")
    try:
        return msgspec.json.decode(document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"no JSON: {error}") from None


def decoded(text: str, encoding: str) -> bytes:
    """Return the bytes of a text.

    Raises:
        ValueError: it is not of that encoding.
    """
    if encoding == "hex":
        return bytes.fromhex(text.removeprefix("0x").replace(":", " ").replace("-", " "))
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def _instant(raw: object) -> int | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        return instants.parse(raw)
    except instants.BadTime as error:
        raise Unreadable(f"no time: {error}") from None
