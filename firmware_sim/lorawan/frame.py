"""A frame as it goes through the air, and as a network server has heard it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_sim.lorawan.gateways import Reception
from firmware_sim.lorawan.models import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class CityFrame:
    """One uplink. session: how often its device had joined; counter: frames of the session before it."""

    eui: str
    session: int
    counter: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardFrame:
    """A frame, who heard it in the order in which it became known, and when by the network's own clock."""

    frame: CityFrame
    receptions: Sequence[Reception]
    network_at: int


def address(eui: str, session: int) -> str:
    """Return what a network calls a device on the air during a session."""
    return f"{(int(eui[-6:], 16) << 4 | session & 0xF) & 0x01FFFFFF:08x}"
