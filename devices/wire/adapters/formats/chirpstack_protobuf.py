"""Events and commands of ChirpStack v4 as Protocol Buffers, in the shape that they have in JSON. Pure.

Numbers of fields: integration.proto and gw.proto of ChirpStack 4.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import json_format

from devices.wire.adapters.formats.protobuf import STRUCT, TIMESTAMP, messages, parsed
from devices.wire.adapters.uplink import Unreadable

_LEVELS: Final = ("INFO", "WARNING", "ERROR")

_MESSAGES: Final = messages(
    "nabd.chirpstack",
    "proto3",
    {
        "Device": {"dev_eui": (8, "string")},
        "Heard": {
            "gateway_id": (1, "string"),
            "gw_time": (3, TIMESTAMP),
            "ns_time": (17, TIMESTAMP),
            "rssi": (6, "int32"),
            "snr": (7, "float"),
        },
        "Lora": {"spreading_factor": (2, "uint32")},
        "Modulation": {"lora": (3, "Lora")},
        "Sent": {"frequency": (1, "uint32"), "modulation": (2, "Modulation")},
        "up": {
            "deduplication_id": (1, "string"),
            "time": (2, TIMESTAMP),
            "device_info": (3, "Device"),
            "dev_addr": (4, "string"),
            "f_cnt": (7, "uint32"),
            "f_port": (8, "uint32"),
            "confirmed": (9, "bool"),
            "data": (10, "bytes"),
            "object": (11, STRUCT),
            "rx_info": (12, "[]Heard"),
            "tx_info": (13, "Sent"),
        },
        "join": {"time": (2, TIMESTAMP), "device_info": (3, "Device")},
        "ack": {
            "time": (2, TIMESTAMP),
            "device_info": (3, "Device"),
            "queue_item_id": (4, "string"),
            "acknowledged": (5, "bool"),
        },
        "txack": {"time": (2, TIMESTAMP), "device_info": (3, "Device"), "queue_item_id": (4, "string")},
        "status": {
            "time": (2, TIMESTAMP),
            "device_info": (3, "Device"),
            "margin": (5, "int32"),
            "external_power_source": (6, "bool"),
            "battery_level_unavailable": (7, "bool"),
            "battery_level": (8, "float"),
        },
        "Context": {"key": (1, "string"), "value": (2, "string")},
        "log": {
            "time": (1, TIMESTAMP),
            "device_info": (2, "Device"),
            "level": (3, "uint32"),
            "code": (4, "uint32"),
            "description": (5, "string"),
            "context": (6, "[]Context"),
        },
        "down": {
            "id": (1, "string"),
            "dev_eui": (2, "string"),
            "confirmed": (3, "bool"),
            "f_port": (4, "uint32"),
            "data": (5, "bytes"),
        },
        "location": {"time": (2, TIMESTAMP), "device_info": (3, "Device")},
        "integration": {"time": (2, TIMESTAMP), "device_info": (3, "Device")},
    },
)


def downlink(said: dict[str, Any]) -> bytes:
    """Return a command as bytes, of what its JSON says; when it expires is left out."""
    made: bytes = json_format.ParseDict(
        said, _MESSAGES["down"](), ignore_unknown_fields=True
    ).SerializeToString()
    return made


def document(event: str, payload: bytes) -> dict[str, Any]:
    """Return an event as its JSON says it; `event` is one of ChirpStack's names.

    Raises:
        Unreadable: it is cut off, not of this event, or holds what JSON cannot say.
    """
    found = parsed(_MESSAGES[event], payload)
    try:
        said = json_format.MessageToDict(found)
    except (json_format.Error, ValueError, OverflowError, RecursionError) as error:
        raise Unreadable(f"holds what nothing can be made of: {error}") from error
    if event == "log":
        level = said.get("level", 0)
        said["level"] = _LEVELS[level] if level < len(_LEVELS) else str(level)
        said["code"] = str(said.get("code", 0))
        said["context"] = {pair.get("key", ""): pair.get("value", "") for pair in said.get("context", ())}
    return said
