"""What ChirpStack v4 publishes of an application, as JSON (integration.proto, and its upstream documents)."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from firmware_sim.lorawan.frame import HeardFrame, address
from firmware_sim.lorawan.gateways import Reception, rfc3339

APPLICATION = "52f14cd4-c6f1-4fbd-8f87-4025e1d49242"


def up(heard: HeardFrame) -> tuple[str, bytes]:
    """Return topic and payload of an uplink."""
    frame = heard.frame
    document = {
        "deduplicationId": str(uuid5(NAMESPACE_OID, f"{frame.eui} {heard.network_at}")),
        "time": rfc3339(time_of(heard)),
        "deviceInfo": _device(frame.eui),
        "devAddr": address(frame.eui, frame.session),
        "adr": True,
        "dr": 5,
        "fCnt": frame.counter,
        "fPort": frame.said.port,
        "confirmed": False,
        "data": base64.b64encode(frame.said.payload).decode(),
        "rxInfo": [_reception(one, heard.network_at) for one in heard.receptions],
        "txInfo": {
            "frequency": 868_100_000,
            "modulation": {"lora": {"bandwidth": 125_000, "spreadingFactor": 7, "codeRate": "CR_4_5"}},
        },
    }
    return _topic(frame.eui, "up"), json.dumps(document).encode()


def joined(eui: str, session: int, at: int) -> tuple[str, bytes]:
    """Return topic and payload of a join."""
    document = {"time": rfc3339(at), "deviceInfo": _device(eui), "devAddr": address(eui, session)}
    return _topic(eui, "join"), json.dumps(document).encode()


def time_of(heard: HeardFrame) -> int:
    """Return what ChirpStack takes for the time of a frame: the first gateway's clock, else its own."""
    return next((one.clock for one in heard.receptions if one.clock is not None), heard.network_at)


def _topic(eui: str, event: str) -> str:
    return f"application/{APPLICATION}/device/{eui.lower()}/event/{event}"


def _device(eui: str) -> dict[str, Any]:
    return {
        "tenantName": "ChirpStack",
        "applicationId": APPLICATION,
        "applicationName": "city",
        "deviceName": f"device {eui[-6:]}",
        "devEui": eui.lower(),
        "tags": {},
    }


def _reception(one: Reception, network_at: int) -> dict[str, Any]:
    said: dict[str, Any] = {
        "gatewayId": one.gateway.eui,
        "uplinkId": network_at & 0xFFFFFFFF,
        "nsTime": rfc3339(network_at),
        "rssi": one.rssi_dbm,
        "snr": one.snr_db,
        "channel": 2,
        "crcStatus": "CRC_OK",
    }
    return said if one.clock is None else said | {"gwTime": rfc3339(one.clock)}
