"""How network servers are told to send something to a device, by the format that they speak.

Pure. Where a device's messages come from says where what it is told goes. Must not know MQTT or commands.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from devices.instants import to_datetime
from devices.wire.adapters.downlink import Downlink
from devices.wire.adapters.formats import chirpstack_protobuf, things_stack

CHIRPSTACK, THINGS_STACK = "chirpstack", "things_stack"
FORMATS: Final = (CHIRPSTACK, THINGS_STACK)
"""Formats of sources that take downlinks."""
KNOWS_REPEATS: Final = frozenset({CHIRPSTACK})
"""Formats whose server refuses an id that waits already; others would send what is repeated twice."""
TRIES_AGAIN: Final = frozenset({THINGS_STACK})
"""Formats whose server sends again what a device did not confirm; others give it up."""

_OURS: Final = "nabd:command:"
_BEFORE: Final = {
    CHIRPSTACK: re.compile(r"(.{1,500}/device/[0-9A-Fa-f]{16})/(?:event|state)/[a-z]+"),
    THINGS_STACK: re.compile(r"(.{1,500}/devices/[^/]{1,64})/(?:up|join|down/[a-z]+)"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DownlinkTopic:
    """Where a device is told something at its network server.

    prefix: of the device's topics, before what says which message it is.
    json: the server speaks JSON; else Protocol Buffers.
    """

    prefix: str
    json: bool = True


def topic_of(format: str, topic: str, payload: bytes) -> DownlinkTopic | None:  # noqa: A002 - the source's word
    """Return where the device of a message is told something; None where its topic does not say."""
    pattern = _BEFORE.get(format)
    match = pattern.fullmatch(topic) if pattern is not None else None
    if match is None:
        return None
    return DownlinkTopic(prefix=match[1], json=payload.lstrip().startswith(b"{"))


def is_told_at(format: str, told_at: DownlinkTopic, device: str, payload: bytes) -> bool:  # noqa: A002 - see above
    """Tell whether a topic is that of the device that its message is of: a payload may name any.

    Args:
        device: as the format's messages name it.
        payload: of the message.
    """
    part = told_at.prefix.rpartition("/")[2]
    if format == THINGS_STACK:
        return things_stack.device_id_of(payload) == part
    return part.upper() == device


def message_of(
    format: str,  # noqa: A002 - the source's word
    to: DownlinkTopic,
    id: UUID,  # noqa: A002 - the wire's word
    downlink: Downlink,
    expires_at: int,
) -> tuple[str, bytes]:
    """Return the topic and payload that hand a downlink over.

    Args:
        id: by which the server's events name it.
        expires_at: after which it is not sent any more, where the server knows such a thing; microseconds.
    """
    data = base64.b64encode(downlink.payload).decode()
    if format == THINGS_STACK:
        one = {
            "f_port": downlink.port,
            "frm_payload": data,
            "confirmed": downlink.confirmed,
            "priority": "NORMAL",
            "correlation_ids": [f"{_OURS}{id}"],
        }
        return f"{to.prefix}/down/push", json.dumps({"downlinks": [one]}).encode()
    said = {
        "id": str(id),
        # It must be written as the topic has it.
        "devEui": to.prefix.rpartition("/")[2],
        "confirmed": downlink.confirmed,
        "fPort": downlink.port,
        "data": data,
        "expiresAt": to_datetime(expires_at).isoformat().replace("+00:00", "Z"),
    }
    payload = json.dumps(said).encode() if to.json else chirpstack_protobuf.downlink(said)
    return f"{to.prefix}/command/down", payload


def ids_of(names: Iterable[str]) -> list[UUID]:
    """Return the ids of ours by which an event names a downlink."""
    found = []
    for name in names:
        try:
            found.append(UUID(name.removeprefix(_OURS)))
        except ValueError:
            continue  # another's
    return found
