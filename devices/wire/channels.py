"""What goes over the other channels: presence and answers of devices, our commands and receipts.

Pure. Must not know what became of a command or of a reading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from devices.nesting import MAX_DEPTH, is_too_deep

ANSWERS = ("accepted", "running", "succeeded", "failed", "rejected")
"""What a device may answer to a command."""


class NotUnderstood(ValueError):
    """A payload that the channel does not carry; the text says what it carries."""


class Response(msgspec.Struct, kw_only=True):
    """A device's answer to a command."""

    id: UUID
    status: str
    detail: str | None = None
    result: object = None


_response = msgspec.json.Decoder(Response)


def presence(payload: bytes) -> bool | None:
    """Return whether the device is online; None for the empty payload that deletes a retained one.

    Raises:
        NotUnderstood: it says neither.
    """
    match payload.strip():
        case b"online":
            return True
        case b"offline":
            return False
        case b"":
            return None
    raise NotUnderstood("presence is `online` or `offline`")


def response(payload: bytes) -> Response:
    """Return an answer.

    Raises:
        NotUnderstood: it is not one.
    """
    if is_too_deep(payload):
        raise NotUnderstood(f"nested deeper than {MAX_DEPTH} levels")
    try:
        answer = _response.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(f"a response needs `id` and `status`: {error}") from error
    if answer.status not in ANSWERS:
        raise NotUnderstood(f"status {answer.status!r} is not one of {', '.join(ANSWERS)}")
    return answer


def command(id: UUID, name: str, args: Mapping[str, Any], expires_at: datetime) -> bytes:  # noqa: A002 - the wire's word
    """Return what a device reads of a command."""
    message = {"id": str(id), "name": name, "args": args, "expires_at": expires_at.isoformat()}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def receipt(device: str, boot: int, seq: Sequence[tuple[int, int]]) -> bytes:
    """Return what tells a device, or its gateway, which numbers of one `boot` are settled: closed ranges."""
    return msgspec.json.encode({"device": device, "boot": boot, "seq": seq})
