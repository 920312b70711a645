"""Who there is in the city: devices of four models, half of them behind each of two network servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from firmware_sim.lorawan import chirpstack, things_stack
from firmware_sim.lorawan.frame import HeardFrame
from firmware_sim.lorawan.models import MODELS, CityModel

Message = tuple[str, bytes]
"""Topic and payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkServer:
    """A network server by what it publishes. format: as Nabd calls that.

    own_clock: it says by its own clock when a frame was heard, else by a gateway's.
    """

    name: str
    format: str
    own_clock: bool
    up: Callable[[HeardFrame], Message]
    joined: Callable[[str, int, int], Message]


SERVERS: Final = (
    NetworkServer(
        name="chirpstack", format="chirpstack", own_clock=False, up=chirpstack.up, joined=chirpstack.joined
    ),
    NetworkServer(
        name="things-stack",
        format="things_stack",
        own_clock=True,
        up=things_stack.up,
        joined=things_stack.joined,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CityDevice:
    """One device, called by its DevEUI."""

    eui: str
    model: CityModel
    server: NetworkServer


def make_city(devices: int) -> tuple[CityDevice, ...]:
    """Return so many devices."""
    found = []
    for number in range(devices):
        model = MODELS[number // len(SERVERS) % len(MODELS)]
        server = SERVERS[number % len(SERVERS)]
        found.append(CityDevice(eui=f"{model.eui}{number + 1:06X}", model=model, server=server))
    return tuple(found)
