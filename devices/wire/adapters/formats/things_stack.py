"""The Things Stack v3: messages of an application, in JSON, by MQTT or webhook.

Pure. Which message it is, its own members say; the topic is not looked at. There, what is 0, false or empty
is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from devices.wire.adapters.formats.bounded import Counter, Instant, eui, microseconds, named, read_json
from devices.wire.adapters.formats.heard import Event, Happening, Heard
from devices.wire.adapters.uplink import Uplink


class _Device(msgspec.Struct):
    device_id: str = ""
    dev_eui: str = ""


class _Gateway(msgspec.Struct):
    gateway_id: str = ""


class _Copy(msgspec.Struct):
    gateway_ids: _Gateway | None = None
    rssi: float | None = None
    snr: float | None = None
    time: Instant | None = None


class _Lora(msgspec.Struct):
    spreading_factor: int | None = None


class _Rate(msgspec.Struct):
    lora: _Lora | None = None


class _Settings(msgspec.Struct):
    data_rate: _Rate | None = None
    frequency: str | None = None


class _Battery(msgspec.Struct):
    value: float | None = None


class _Uplink(msgspec.Struct):
    session_key_id: str | None = None
    f_port: Counter | None = None
    f_cnt: Counter = 0
    frm_payload: bytes | None = None
    decoded_payload: dict[str, Any] | None = None
    rx_metadata: list[_Copy] = []
    settings: _Settings | None = None
    received_at: Instant | None = None
    confirmed: bool = False
    last_battery_percentage: _Battery | None = None


class _Downlink(msgspec.Struct):
    correlation_ids: list[str] = []


class _Error(msgspec.Struct):
    message_format: str = ""
    name: str = ""


class _Failed(msgspec.Struct):
    downlink: _Downlink = msgspec.field(default_factory=_Downlink)
    error: _Error = msgspec.field(default_factory=_Error)


class _Invalidated(msgspec.Struct):
    downlinks: list[_Downlink] = []


class _Message(msgspec.Struct):
    end_device_ids: _Device
    received_at: Instant | None = None
    correlation_ids: list[str] = []
    uplink_message: _Uplink | None = None
    join_accept: dict[str, Any] | None = None
    downlink_queued: _Downlink | None = None
    downlink_sent: _Downlink | None = None
    downlink_ack: _Downlink | None = None
    downlink_nack: _Downlink | None = None
    downlink_failed: _Failed | None = None
    downlink_queue_invalidated: _Invalidated | None = None


_MESSAGE: Final = msgspec.json.Decoder(_Message)
_HAPPENINGS: Final = {
    "downlink_queued": Happening.QUEUED,
    "downlink_sent": Happening.SENT,
    "downlink_ack": Happening.DELIVERED,
    "downlink_nack": Happening.UNDELIVERED,
}


class _Told(msgspec.Struct):
    end_device_ids: _Device


_TOLD: Final = msgspec.json.Decoder(_Told)


def device_id_of(payload: bytes) -> str:
    """Return the device's name in its application, by which topics name it; empty where it is not said."""
    try:
        return _TOLD.decode(payload).end_device_ids.device_id
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def read(topic: str, payload: bytes, received_at: int) -> Heard:
    """Return what a message of an application says; see heard.FormatReader. Of solved locations, nothing.

    Raises:
        Unreadable: the payload is no such message.
    """
    said = read_json(_MESSAGE, payload)
    # Without a DevEUI (ABP before 1.1) the name in the application is all there is.
    ids = said.end_device_ids
    device = eui(ids.dev_eui) if ids.dev_eui else named(ids.device_id, "a device")
    heard = Heard(events=list(_events(device, said)))
    if said.uplink_message is not None:
        heard.uplinks.append(_uplink(device, said.uplink_message, said.received_at, payload))
    return heard


def _uplink(device: str, said: _Uplink, received_at: Instant | None, raw: bytes) -> Uplink:
    # The network's clock first: gateways have clocks of their own, and some of them none.
    at = said.received_at or received_at or min((c.time for c in said.rx_metadata if c.time), default=None)
    return Uplink(
        device=device,
        raw=raw,
        at=microseconds(at),
        payload=said.frm_payload or None,
        port=said.f_port,
        values=said.decoded_payload or {},
        counter=said.f_cnt,
        radio=_radio(said),
    )


def _radio(said: _Uplink) -> Mapping[str, object]:
    """Return the radio of a frame: of the gateway that heard it best."""
    best = max(said.rx_metadata, key=lambda copy: -1000 if copy.rssi is None else copy.rssi, default=None)
    lora = said.settings and said.settings.data_rate and said.settings.data_rate.lora
    frequency = said.settings and said.settings.frequency
    battery = said.last_battery_percentage
    found: dict[str, object] = {
        "rssi_dbm": best and best.rssi,
        "snr_db": best and best.snr,
        "spreading_factor": lora and lora.spreading_factor,
        "frequency_hz": int(frequency)
        if frequency and frequency.isdecimal() and len(frequency) < 16
        else None,
        "gateways": len({copy.gateway_ids and copy.gateway_ids.gateway_id for copy in said.rx_metadata})
        or None,
        "confirmed": said.confirmed,
        "session": said.session_key_id or None,
        "battery_percent": battery and battery.value,
    }
    return {key: value for key, value in found.items() if value is not None}


def _events(device: str, said: _Message) -> list[Event]:
    at = microseconds(said.received_at)
    events = []
    if said.join_accept is not None:
        events.append(Event(device=device, happening=Happening.JOINED, at=at))
    for name, happening in _HAPPENINGS.items():
        downlink = getattr(said, name)
        if downlink is not None:
            names = (*downlink.correlation_ids, *said.correlation_ids)
            events.append(Event(device=device, happening=happening, at=at, downlink=names))
    if said.downlink_failed is not None:
        failed = said.downlink_failed
        events.append(
            Event(
                device=device,
                happening=Happening.FAILED,
                at=at,
                downlink=(*failed.downlink.correlation_ids, *said.correlation_ids),
                text=failed.error.message_format or failed.error.name,
            )
        )
    if said.downlink_queue_invalidated is not None:
        events += [
            Event(
                device=device,
                happening=Happening.FAILED,
                at=at,
                downlink=tuple(downlink.correlation_ids),
                text="the network forgot it: the device began a new session",
            )
            for downlink in said.downlink_queue_invalidated.downlinks
        ]
    return events
