"""What devices send besides telemetry: presence, and answers to commands. Pure."""

from __future__ import annotations

from uuid import UUID

import msgspec

from devices.commands.sent import ANSWERS
from devices.nesting import MAX_DEPTH, is_too_deep


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
