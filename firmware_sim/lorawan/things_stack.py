"""What The Things Stack v3 publishes of an application (its data formats); what is 0 or empty is left out."""

from __future__ import annotations

import base64
import json
from typing import Any

from firmware_sim.lorawan.frame import HeardFrame, address
from firmware_sim.lorawan.gateways import Reception, rfc3339

APPLICATION, TENANT = "city", "tripoli"
_ON_MICROSECONDS = 60_000


def up(heard: HeardFrame) -> tuple[str, bytes]:
    """Return topic and payload of an uplink."""
    frame = heard.frame
    message: dict[str, Any] = {
        "session_key_id": _session(frame.eui, frame.session),
        "f_port": frame.said.port,
        "f_cnt": frame.counter,
        "frm_payload": base64.b64encode(frame.said.payload).decode(),
        "rx_metadata": [_reception(one) for one in heard.receptions],
        "settings": {
            "data_rate": {"lora": {"bandwidth": 125_000, "spreading_factor": 7, "coding_rate": "4/5"}},
            "frequency": "868100000",
        },
        "received_at": rfc3339(heard.network_at),
        "consumed_airtime": "0.061696s",
    }
    if not frame.counter:
        del message["f_cnt"]
    document = _document(frame.eui, frame.session, heard.network_at) | {"uplink_message": message}
    return _topic(frame.eui, "up"), json.dumps(document).encode()


def joined(eui: str, session: int, at: int) -> tuple[str, bytes]:
    """Return topic and payload of a join."""
    accept = {"session_key_id": _session(eui, session), "received_at": rfc3339(at)}
    return _topic(eui, "join"), json.dumps(_document(eui, session, at) | {"join_accept": accept}).encode()


def _topic(eui: str, event: str) -> str:
    return f"v3/{APPLICATION}@{TENANT}/devices/eui-{eui.lower()}/{event}"


def _session(eui: str, session: int) -> str:
    return base64.b64encode(bytes.fromhex(eui) + session.to_bytes(8)).decode()


def _document(eui: str, session: int, network_at: int) -> dict[str, Any]:
    return {
        "end_device_ids": {
            "device_id": f"eui-{eui.lower()}",
            "application_ids": {"application_id": APPLICATION},
            "dev_eui": eui,
            "dev_addr": address(eui, session).upper(),
        },
        "correlation_ids": [f"as:up:{network_at:x}"],
        "received_at": rfc3339(network_at + _ON_MICROSECONDS),
    }


def _reception(one: Reception) -> dict[str, Any]:
    said: dict[str, Any] = {
        "gateway_ids": {"gateway_id": f"eui-{one.gateway.eui}", "eui": one.gateway.eui.upper()},
        "rssi": one.rssi_dbm,
        "channel_rssi": one.rssi_dbm,
        "snr": one.snr_db,
    }
    return said if one.clock is None else said | {"time": rfc3339(one.clock)}
