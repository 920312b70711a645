"""What goes over the other channels: presence, answers and reports of devices, our commands and receipts.

Pure. Must not know what became of a command or of a reading.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from devices.nesting import MAX_DEPTH, is_too_deep
from devices.storable import storable, storable_json

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


class Report(msgspec.Struct, kw_only=True):
    """What a device says it is set to, and which version of `config` it knows; refused: why not, by name."""

    config: dict[str, bool | float | int | str | None] = {}
    refused: dict[str, str] = {}
    version: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    firmware: Annotated[str, msgspec.Meta(max_length=64)] | None = None


REPORT_LIMIT = 4_096
"""Bytes of a report."""

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


_report = msgspec.json.Decoder(Report)


def report(payload: bytes) -> Report:
    """Return what a device reports of itself, as a database can keep it.

    Raises:
        NotUnderstood: it is no report, or too long.
    """
    if len(payload) > REPORT_LIMIT:
        raise NotUnderstood(f"a report has at most {REPORT_LIMIT:,} bytes, this one {len(payload):,}")
    try:
        said = _report.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotUnderstood(f"a report needs `config`, an object of plain values: {error}") from error
    firmware = None if said.firmware is None else storable(said.firmware)
    return Report(
        config=storable_json(said.config),
        refused=storable_json(said.refused),
        version=said.version,
        firmware=firmware,
    )


def config(version: int, values: Mapping[str, Any]) -> bytes:
    """Return what a device reads of what it is to be set to."""
    return msgspec.json.encode({"version": version, "set": values})


def command(id: UUID, name: str, args: Mapping[str, Any], expires_at: datetime) -> bytes:  # noqa: A002 - the wire's word
    """Return what a device reads of a command."""
    message = {"id": str(id), "name": name, "args": args, "expires_at": expires_at.isoformat()}
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


class Receipt(msgspec.Struct, omit_defaults=True):
    """Which numbers of one `boot` are settled, for a device or its gateway.

    seq: closed ranges. rejected: of these, number, reason, and JSON pointer into the element.
    """

    device: str
    boot: int
    seq: Sequence[tuple[int, int]]
    rejected: Sequence[tuple[int, str, str]] = ()


_receipt = msgspec.json.Decoder(Receipt)


def receipt(message: Receipt) -> bytes:
    """Return what goes over the channel."""
    return msgspec.json.encode(message)


def receipt_of(payload: bytes) -> Receipt:
    """Return a receipt that was heard.

    Raises:
        NotUnderstood: it is none.
    """
    try:
        return _receipt.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotUnderstood(f"a receipt needs `device`, `boot` and `seq`: {error}") from error
