"""Devices of other vendors among a town's own, behind one network server: where they are, what is said. Pure.

They speak for as long as somebody listens. Nobody has registered the last one; the first is heard twice.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Final

import numpy as np

from devices.kinds import Kinds
from devices.kinds.kind import INTERVAL
from firmware_sim.ground import quarter_at
from firmware_sim.lorawan.city import SERVERS, CityDevice
from firmware_sim.lorawan.frame import CityFrame, HeardFrame
from firmware_sim.lorawan.gateways import RIGHT, receptions, some_right
from firmware_sim.lorawan.models import MODELS
from firmware_sim.lorawan.plan import NETWORK_US, SECOND, Delivery, PlannedFrame, instant_of, stored_values
from firmware_sim.physics.flight import position
from firmware_sim.physics.model import generator
from firmware_sim.titles import numbered
from firmware_sim.town import Town

SERVER: Final = next(server for server in SERVERS if server.name == "chirpstack")
HOW_MANY: Final[Mapping[str, int]] = {"EM310-UDL": 2, "DF702": 1, "DL-MBX": 1, "UL2030": 2}
"""By model. The stranger is a further one of the first."""
RADIUS_M = 800.0
COPIED_EVERY = 2
"""Of what the first of them says, every second frame comes again by a slow gateway."""
COPY_US = 2 * SECOND
BIN_US = 65 * SECOND
"""So long a bin measures the same, however often it speaks: it fills within hours."""
LIGHT_US = 7_200 * SECOND
_ABOUT: Final[Mapping[str, Mapping[str, object]]] = {
    "bin": {"install_height_mm": 1500.0, "usable_depth_mm": 1200.0, "volume_l": 770.0},
    "light": {"rated_power_w": 120.0, "lamp_technology": "LED"},
    "DL-MBX": {"battery_knee_v": 2.4, "battery_empty_v": 2.2},
}
"""What is known of devices of a kind, and of a model: two alkaline cells are full at 3 V."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TownDevice:
    """One device: what it is and says, how often at least, its names by language, and where it stands."""

    city: CityDevice
    every_s: float
    titles: Mapping[str, str]
    lat: float
    lon: float
    attributes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TownDelivery(Delivery):
    """One message. planned: what must be stored of it; None: nothing, it is a copy or a stranger's."""

    planned: PlannedFrame | None = None


def foreign_devices(town: Town, every_s: float) -> tuple[TownDevice, ...]:
    """Return those of a town, the stranger last; they speak every so often, or as is usual."""
    models = [model for model in MODELS for _ in range(HOW_MANY[model.name])]
    found = []
    for number, model in enumerate([*models, MODELS[0]]):
        rng = generator(town.seed, "lorawan", str(number))
        bearing, away = rng.uniform(0, 2 * math.pi), RADIUS_M * math.sqrt(rng.uniform(0.0, 1.0))
        east, north = away * math.sin(bearing), away * math.cos(bearing)
        lat, lon = position((town.place.lat, town.place.lon), (east, north))
        every = min(every_s, *(one.every_s for one in town.kinds[model.kind].reporting))
        found.append(
            TownDevice(
                city=CityDevice(eui=f"{model.eui}{number + 1:06X}", model=model, server=SERVER),
                every_s=every,
                titles=numbered(
                    {
                        language: f"{quarter} {model.name}"
                        for language, quarter in quarter_at(town.place, east, north).items()
                    },
                    number + 1,
                    town.place.locale,
                ),
                lat=round(lat, 6),
                lon=round(lon, 6),
                attributes={
                    "model": model.name,
                    INTERVAL: every,
                    **_ABOUT[model.kind],
                    **_ABOUT.get(model.name, {}),
                },
            )
        )
    return tuple(found)


def spoken(devices: Sequence[TownDevice], kinds: Kinds, *, seed: int, start: int) -> Iterator[TownDelivery]:
    """Yield what the network server says of devices, from `start` on, without end; the last is the stranger.

    In the order in which it is due; all have spoken within half of what lies between two frames of one.
    """
    each = [_spoken_by(place, devices, kinds, seed, start) for place in range(len(devices))]
    return heapq.merge(*each, key=lambda one: one.due)


def _spoken_by(
    place: int, devices: Sequence[TownDevice], kinds: Kinds, seed: int, start: int
) -> Iterator[TownDelivery]:
    device, every_us = devices[place].city, round(devices[place].every_s * SECOND)
    is_stranger = place == len(devices) - 1
    rng = np.random.default_rng([seed, place])
    first = start + every_us * (place + 1) // (2 * len(devices))
    for n in count():
        at = first + n * every_us
        moment = _moment(device.model.kind, n, at - first)
        said = device.model.speak(np.random.default_rng([seed, int(device.eui, 16)]), moment)
        frame = CityFrame(eui=device.eui, session=0, counter=n, said=said)
        heard = HeardFrame(
            frame=frame, receptions=receptions(rng, some_right(rng), at), network_at=at + NETWORK_US
        )
        planned = PlannedFrame(
            device=device,
            frame=frame,
            observed_at=instant_of(heard, at, device.server),
            values=stored_values(heard, kinds[device.model.kind]),
        )
        yield _delivery(heard, None if is_stranger else planned)
        if place == 0 and n % COPIED_EVERY == 0:
            slow = receptions(rng, RIGHT[-1:], at)
            again = HeardFrame(frame=frame, receptions=slow, network_at=heard.network_at + COPY_US)
            yield _delivery(again, None, copy=True)


def _moment(kind: str, n: int, since_us: int) -> int:
    """Return what a model takes for how often it has spoken: with every frame it would go on too soon."""
    if kind == "light":  # status and usage in turn; in two hours it burns two
        return 2 * (since_us // LIGHT_US) + n % 2
    return since_us // BIN_US


def _delivery(heard: HeardFrame, planned: PlannedFrame | None, *, copy: bool = False) -> TownDelivery:
    topic, payload = SERVER.up(heard)
    return TownDelivery(
        due=heard.network_at, server=SERVER.name, topic=topic, payload=payload, copy=copy, planned=planned
    )
