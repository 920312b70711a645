"""ChirpStack v4: events of an application, in JSON or Protocol Buffers, by MQTT or HTTP.

Pure. The last part of the topic says which event it is (`application/ID/device/EUI/event/up`); over HTTP, the
query `event` stands there. One event a frame, with all gateways that heard it. Must not know HTTP or MQTT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from devices.instants import to_microseconds
from devices.wire.adapters.formats import chirpstack_protobuf
from devices.wire.adapters.formats.bounded import (
    Counter,
    Instant,
    check_size,
    converted,
    eui,
    microseconds,
    read_json,
)
from devices.wire.adapters.formats.heard import Event, Happening, Heard
from devices.wire.adapters.uplink import Unreadable, Uplink

APART = 60_000_000
"""Clocks say the same as long as they are no further apart, in microseconds."""
BACKLOG = 86_400_000_000
"""What a gateway says that it heard before, it has not kept: its clock was never set."""


class _Device(msgspec.Struct, rename="camel"):
    dev_eui: str


class _Event(msgspec.Struct, rename="camel"):
    device_info: _Device
    time: Instant | None = None


class _Heard(msgspec.Struct, rename="camel"):
    gateway_id: str = ""
    rssi: int | None = None
    snr: float | None = None
    gw_time: Instant | None = None
    ns_time: Instant | None = None


class _Lora(msgspec.Struct, rename="camel"):
    spreading_factor: int | None = None


class _Modulation(msgspec.Struct, rename="camel"):
    lora: _Lora | None = None


class _Sent(msgspec.Struct, rename="camel"):
    frequency: int | None = None
    modulation: _Modulation | None = None


class _Up(_Event, rename="camel"):
    deduplication_id: str = ""
    dev_addr: str = ""
    f_cnt: Counter = 0
    f_port: Counter = 0
    confirmed: bool = False
    data: bytes = b""
    object: dict[str, Any] | None = None
    rx_info: list[_Heard] = []
    tx_info: _Sent | None = None


class _Status(_Event, rename="camel"):
    margin: int = 0
    external_power_source: bool = False
    battery_level_unavailable: bool = False
    battery_level: float = 0.0


class _Ack(_Event, rename="camel"):
    queue_item_id: str = ""
    acknowledged: bool = False


class _TxAck(_Event, rename="camel"):
    queue_item_id: str = ""


class _Log(_Event, rename="camel"):
    level: str = "INFO"
    code: str = "UNKNOWN"
    description: str = ""
    context: dict[str, str] = {}


_S = TypeVar("_S", bound=_Event)


def read(topic: str, payload: bytes, received_at: int) -> Heard:
    """Return what an event of an application says; see heard.FormatReader.

    Raises:
        Unreadable: the topic names no event, or the payload is none.
    """
    name = topic.rpartition("/")[2]
    read_event = _READERS.get(name)
    if read_event is None:
        raise Unreadable(f"{name[:40]!r} at the topic's end is no event of ChirpStack: {', '.join(_READERS)}")
    return read_event(name, payload, received_at)


def _up(name: str, payload: bytes, received_at: int) -> Heard:
    said = _document(name, payload, _Up)
    network = min(_instants(copy.ns_time for copy in said.rx_info), default=None)
    return Heard(
        uplinks=[
            Uplink(
                device=eui(said.device_info.dev_eui),
                raw=payload,
                at=_instant(said, network, received_at),
                heard_at=network,
                payload=said.data or None,
                port=said.f_port or None,
                values=said.object or {},
                counter=said.f_cnt,
                radio=_radio(said),
            )
        ]
    )


def _instant(said: _Up, network: int | None, received_at: int) -> int | None:
    """Return when a frame was heard, in microseconds since 1970-01-01Z.

    `time` is the clock of whichever gateway ChirpStack takes first, right or wrong. Where the network's own
    and ours contradict it, the latest that is not ahead of the network's, or says what ours does, counts; a
    backlog is believed.
    """
    clocks = _instants([said.time, *(copy.gw_time for copy in said.rx_info)])
    told = microseconds(said.time) if said.time else min(clocks, default=None)
    if told is None or network is None:
        return network if told is None else told
    if min(abs(told - network), abs(told - received_at)) <= APART:
        return told
    believed = [
        one for one in clocks if -BACKLOG <= one - network <= APART or abs(one - received_at) <= APART
    ]
    return max(believed, default=network)


def _instants(said: Iterable[Instant | None]) -> list[int]:
    """Return those that are said, in microseconds: near the first and the last year datetimes overflow."""
    return [to_microseconds(one) for one in said if one is not None]


def _radio(said: _Up) -> Mapping[str, object]:
    """Return the radio of a frame: of the gateway that heard it best."""
    best = max(said.rx_info, key=lambda copy: -1000 if copy.rssi is None else copy.rssi, default=None)
    lora = said.tx_info and said.tx_info.modulation and said.tx_info.modulation.lora
    found: dict[str, object] = {
        "rssi_dbm": best and best.rssi,
        "snr_db": best and best.snr,
        "spreading_factor": lora and lora.spreading_factor,
        "frequency_hz": said.tx_info and said.tx_info.frequency,
        "gateways": len({copy.gateway_id for copy in said.rx_info}) or None,
        "confirmed": said.confirmed,
        "session": said.dev_addr or None,
        "deduplication_id": said.deduplication_id or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _status(name: str, payload: bytes, received_at: int) -> Heard:
    """A device's answer to the network: its battery, and how well it hears.

    `time` is a gateway's clock, and nothing else says one: what is ahead of ours came when we heard it.
    """
    said = _document(name, payload, _Status)
    values: dict[str, object] = {"margin": said.margin, "externalPowerSource": said.external_power_source}
    if not said.external_power_source and not said.battery_level_unavailable:
        values["batteryLevel"] = said.battery_level
    at = microseconds(said.time)
    if at is not None and at - received_at > APART:
        at = received_at
    uplink = Uplink(device=eui(said.device_info.dev_eui), raw=payload, at=at, values=values)
    return Heard(uplinks=[uplink])


def _join(name: str, payload: bytes, received_at: int) -> Heard:
    return _event(_document(name, payload, _Event), Happening.JOINED)


def _ack(name: str, payload: bytes, received_at: int) -> Heard:
    said = _document(name, payload, _Ack)
    happening = Happening.DELIVERED if said.acknowledged else Happening.UNDELIVERED
    return _event(said, happening, downlink=said.queue_item_id)


def _txack(name: str, payload: bytes, received_at: int) -> Heard:
    said = _document(name, payload, _TxAck)
    return _event(said, Happening.SENT, downlink=said.queue_item_id)


def _log(name: str, payload: bytes, received_at: int) -> Heard:
    said = _document(name, payload, _Log)
    downlink = said.context.get("queue_item_id", "")
    happening = Happening.FAILED if downlink and said.level == "ERROR" else Happening.LOG
    return _event(said, happening, downlink=downlink, text=f"{said.level} {said.code}: {said.description}")


def _nothing(name: str, payload: bytes, received_at: int) -> Heard:
    """Where a network believes a device to be, or what another integration said: not the device's word."""
    _document(name, payload, _Event)
    return Heard()


_READERS: Final[Mapping[str, Callable[[str, bytes, int], Heard]]] = {
    "up": _up,
    "join": _join,
    "ack": _ack,
    "txack": _txack,
    "status": _status,
    "log": _log,
    "location": _nothing,
    "integration": _nothing,
}


def _event(said: _Event, happening: Happening, *, downlink: str = "", text: str = "") -> Heard:
    event = Event(
        device=eui(said.device_info.dev_eui),
        happening=happening,
        at=microseconds(said.time),
        downlink=(downlink,) if downlink else (),
        text=text,
    )
    return Heard(events=[event])


_JSON: Final[Mapping[type[_Event], msgspec.json.Decoder[Any]]] = {
    shape: msgspec.json.Decoder(shape) for shape in (_Event, _Up, _Status, _Ack, _TxAck, _Log)
}


def _document(name: str, payload: bytes, shape: type[_S]) -> _S:
    """Return an event out of either encoding: no message of theirs begins with a brace."""
    check_size(payload)
    if payload.lstrip().startswith(b"{"):
        said: _S = read_json(_JSON[shape], payload)
        return said
    return converted(chirpstack_protobuf.document(name, payload), shape)
