"""A seeded town: which devices stand where, what hangs below what, and how each of them behaves.

Names and positions are made up. Knows kinds and physics; nothing of MQTT or the platform's registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devices.kinds.kind import Kind
from firmware_sim import ground
from firmware_sim.builders import make_devices, make_strangers
from firmware_sim.physics.weather import make_weather
from firmware_sim.specs import PLACES, Place, SimulatedDevice, TownContext, local_clock

__all__ = ["PLACES", "Place", "SimulatedDevice", "Town", "make_town"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """A municipality with its devices, parents before children; strangers are not to be registered."""

    municipality: str
    place: Place
    seed: int
    kinds: Mapping[str, Kind]
    devices: tuple[SimulatedDevice, ...]
    strangers: tuple[SimulatedDevice, ...]
    fault_mean_days: float

    @property
    def layers(self) -> Mapping[str, Mapping[str, Any]]:
        """Its districts and streets, each as GeoJSON."""
        return ground.layers(self.place, self.devices)

    @property
    def sensing(self) -> tuple[SimulatedDevice, ...]:
        """Registered devices that send readings."""
        return tuple(d for d in self.devices if d.physics is not None)


def make_town(
    seed: int,
    kinds: Mapping[str, Kind],
    *,
    municipality: str = "tripoli",
    bins: int = 30,
    lights: int = 24,
    drones: int = 3,
    gateways: int = 1,
    others: int = 4,
    strangers: int = 1,
    interval_cap_s: float | None = None,
    fault_mean_days: float = 1.5,
    drone_hours: tuple[float, float] | None = None,
) -> Town:
    """Return the town that belongs to a seed.

    Args:
        seed: same seed and arguments, same town.
        kinds: every declared kind; those without physics of their own get `others` generic devices each.
        municipality: one of PLACES.
        bins, lights, drones, gateways: how many of each; a gateway relays five of the last bins.
        strangers: devices that publish without being registered, to keep the quarantine alive.
        interval_cap_s: upper limit of every reporting interval, or None for the declared ones.
        fault_mean_days: mean time between chance faults of one device after its opening; 0 for none.
        drone_hours: the hours of the day, UTC, within which drones take off; None for all day.
    """
    place = PLACES[municipality]
    context = TownContext(
        municipality=municipality,
        place=place,
        seed=seed,
        weather=make_weather(seed, place.lat, place.lon),
        interval_cap_s=interval_cap_s,
        local_hour=local_clock(place.time_zone),
        drone_hours=drone_hours,
    )
    numbers = {"bin": bins, "light": lights, "drone": drones}
    return Town(
        municipality=municipality,
        place=place,
        seed=seed,
        kinds=kinds,
        devices=make_devices(context, kinds, numbers, gateways=gateways, others=others),
        strangers=make_strangers(context, kinds, strangers),
        fault_mean_days=fault_mean_days,
    )
