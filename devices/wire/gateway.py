"""What a gateway relays: each element names its own kind and device.

Only splits messages; whether the device belongs to the gateway is checked by ingest.decide.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from devices.wire import elements, tokens
from devices.wire.raw import KEY
from devices.wire.rejected import Reason, Rejected

ENTRY = "by_hand"
"""Member of an element that a person entered: the number of what is kept of who, when and why.

It stays with the reading, as unknown keys do."""


class Relayed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One element of a gateway's message. A Struct, which is fast to make.

    payload: the element alone, as its device would have sent it; raw: as the gateway did.
    pointer: where it stands in the gateway's message.
    numbered: whether `boot` and `seq` are the gateway's own, and say nothing of the device.
    refused: why the gateway can make no reading of what the device sent; None where it has.
    """

    message: int
    kind: str
    device: str
    payload: bytes
    raw: bytes
    pointer: str
    numbered: bool = False
    refused: str | None = None

    def located(self, rejected: Rejected) -> Rejected:
        """Return the rejection of `payload` as one of the gateway's message."""
        pointer = self.pointer + rejected.pointer
        return replace(rejected, message=self.message, payload=self.raw, pointer=pointer)


_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_name = msgspec.json.Decoder(str)

NUMBERED = "relayed"
"""Member of an element: true where `boot` and `seq` count what the gateway relays, of all its devices."""


def split(message: int, payload: bytes, rejected: list[Rejected]) -> list[Relayed]:
    """Take one gateway message apart; what names no kind or device is rejected."""
    try:
        parts = elements.split(payload)
    except ValueError as error:
        rejected.append(
            Rejected(message=message, reason=Reason.MALFORMED, detail=str(error), payload=payload)
        )
        return []
    relayed = []
    for position, raw in parts:
        try:
            members = _members(raw)
            if "refused" in members:
                relayed.append(_not_understood(message, position, raw, members))
                continue
            kind, device = _name.decode(members.pop("kind")), _name.decode(members.pop("device"))
        except (ValueError, KeyError):
            rejected.append(
                Rejected(
                    message=message,
                    reason=Reason.MALFORMED,
                    detail="an element of a gateway needs the texts `kind` and `device`",
                    pointer=elements.pointer(position),
                    payload=raw,
                )
            )
            continue
        members.pop(KEY, None)
        numbered = bytes(members.pop(NUMBERED, b"")) == b"true"
        relayed.append(
            Relayed(
                message=message,
                kind=kind,
                device=device,
                payload=msgspec.json.encode(members),
                raw=raw,
                pointer=elements.pointer(position),
                numbered=numbered,
            )
        )
    return relayed


def _not_understood(message: int, position: int, raw: bytes, members: dict[str, msgspec.Raw]) -> Relayed:
    """Return what a gateway heard and could not read; whose it is may be unknown.

    Raises:
        ValueError: it does not say why, or its device is no text.
    """
    return Relayed(
        message=message,
        kind="",
        device=_name.decode(members["device"]) if "device" in members else "",
        payload=b"",
        raw=raw,
        pointer=elements.pointer(position),
        refused=_name.decode(members["refused"]),
    )


def _members(raw: bytes) -> dict[str, msgspec.Raw]:
    """Return the members of an element, of which a token may be one that no parser takes.

    Raises:
        ValueError: it is no object.
    """
    try:
        return _object.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {name: msgspec.Raw(value) for name, value in tokens.members(raw)}
