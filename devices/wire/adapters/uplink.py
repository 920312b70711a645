"""What a source says of one foreign device at one moment, before the profile of its model reads it.

Pure. Must not know profiles, nor how the bytes came here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


class Unreadable(ValueError):
    """Bytes are not of the format that their source is said to send; the text says what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """One message of one foreign device.

    device: how the source calls it; a DevEUI in upper-case hexadecimal.
    raw: the source's own bytes, as they came.
    at: when it was observed, else when a gateway heard it first: microseconds since 1970 UTC; None: not said.
    heard_at: when the network heard it by its own clock, where gateways have clocks of their own, as `at`.
    payload: the device's own bytes, where the source hands them on.
    port: LoRaWAN's FPort of `payload`.
    values: what the source decoded itself, or sends instead of bytes.
    counter: the frame counter, to tell a copy from news.
    radio: rssi_dbm, snr_db, spreading_factor, gateways (how many heard it), confirmed, battery_percent,
        session (counters begin anew when it changes), by name, each only where the source says it.
    units: of values, by name, as the source writes them, where it does: SenML's, or codes of UNECE.
    topic: on which it came, where that is not the topic of the message that is read: it waited for another.
    of_stream: it is of a stream of all that a device says; that it holds no measurement is no mistake.
    """

    device: str
    raw: bytes
    at: int | None = None
    heard_at: int | None = None
    payload: bytes | None = None
    port: int | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    counter: int | None = None
    radio: Mapping[str, object] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    topic: str = ""
    of_stream: bool = False
