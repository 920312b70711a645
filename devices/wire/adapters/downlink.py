"""What a foreign device is told, as the bytes that it understands. Pure.

Must not know profiles, nor who carries the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 242
"""The longest payload that LoRaWAN carries anywhere; slow data rates carry less, which the network judges."""
LAST_PORT: Final = 223
"""Ports from 1 on are applications'; 0 is the network's own, and those above are reserved."""


class NotEncoded(ValueError):
    """A command cannot be said to a device as it is; the text says why and what would help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Downlink:
    """One message to a device. confirmed: the device is asked to acknowledge it.

    Raises:
        NotEncoded: nobody carries such a message.
    """

    port: int
    payload: bytes
    confirmed: bool

    def __post_init__(self) -> None:
        if not 1 <= self.port <= LAST_PORT:
            raise NotEncoded(f"port {self.port} is none of a device's: 1 to {LAST_PORT}")
        if not 1 <= len(self.payload) <= MOST_BYTES:
            raise NotEncoded(f"{len(self.payload)} bytes: LoRaWAN carries 1 to {MOST_BYTES}")
