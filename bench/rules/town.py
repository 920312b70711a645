"""The town that a benchmark lives through: devices that break as they do in months, and their registry.

Knows the simulator and the registry's shape; not how readings are judged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from devices.instants import to_microseconds
from devices.kinds.kind import Kind
from devices.registry.registry import Device, Municipality, Registry
from firmware_sim.builders import LAMPS_PER_CIRCUIT
from firmware_sim.plan import LONG_RUN, MEAN_DAYS
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import Town, make_town

DAY_US = 86_400_000_000
_YEAR_DAYS = 365
_DRONE_HOURS = (3.0, 3.8)
"""UTC: orchards are sprayed at dawn, before the wind and the bees."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How much town: days, and devices of each kind."""

    days: float = 60.0
    bins: int = 60
    lights: int = 80
    drones: int = 6

    def of(self, kind: str) -> int:
        """Return how many devices of a kind."""
        circuits = math.ceil(self.lights / LAMPS_PER_CIRCUIT)
        numbers = {"bin": self.bins, "light": self.lights, "drone": self.drones, "circuit": circuits}
        return numbers.get(kind, 0)


def bench_town(seed: int, kinds: Mapping[str, Kind], numbers: Numbers) -> Town:
    """Return the town that belongs to a seed: nothing choreographed, everything breaks by chance."""
    known = {name: kind for name, kind in kinds.items() if name in LONG_RUN}
    town = make_town(
        seed,
        known,
        bins=numbers.bins,
        lights=numbers.lights,
        drones=numbers.drones,
        gateways=1,
        strangers=0,
        drone_hours=_DRONE_HOURS,
    )
    return replace(town, devices=tuple(_long_lived(device) for device in town.devices))


def _long_lived(device: SimulatedDevice) -> SimulatedDevice:
    causes = LONG_RUN.get(device.kind, ())
    if device.electronics.clock != "right":
        known = {cause.name for cause in device.causes}
        causes = tuple(cause for cause in causes if cause.name in known)
    return replace(device, opening=(), causes=causes)


def of_kind(town: Town, kind: str) -> Town:
    """Return the town with the fault rate of one kind's devices."""
    return replace(town, fault_mean_days=MEAN_DAYS[kind])


def first_instant(seed: int) -> int:
    """Return when a seed's town begins, microseconds: midnight UTC of some day of the year."""
    start = to_microseconds(datetime(2026, 1, 1, tzinfo=UTC))
    return start + seed % _YEAR_DAYS * DAY_US


def registry_of(town: Town) -> Registry:
    """Return the town as the platform's registry would know it."""
    place = town.place
    municipality = Municipality(
        id=1,
        name=town.municipality,
        title=place.title,
        time_zone=place.time_zone,
        locale=place.locale,
        weekend=place.weekend,
        lat=place.lat,
        lon=place.lon,
        register_unknown=False,
    )
    ids = {device.name: number for number, device in enumerate(town.devices, 1)}
    devices = {ids[device.name]: _registered(device, ids) for device in town.devices}
    return Registry(
        devices=devices,
        by_name={device.name: device for device in devices.values()},
        municipalities={municipality.name: municipality},
    )


def _registered(device: SimulatedDevice, ids: Mapping[str, int]) -> Device:
    return Device(
        id=ids[device.name],
        name=device.name,
        kind=device.kind,
        municipality=device.municipality,
        municipality_id=1,
        parent=device.parent,
        parent_id=ids[device.parent] if device.parent else None,
        relays=() if device.relay is None else (device.relay,),
        title=device.title,
        lat=device.lat,
        lon=device.lon,
        attributes=dict(device.attributes),
    )
