"""Builds the devices of a town, kind by kind: positions, geometry, electronics, and what breaks early.

The one place that decides which of the n devices of a kind has a wrong clock, receipts, or a gateway.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from devices.kinds.kind import Kind
from firmware_sim.ground import metres_around, quarter_at
from firmware_sim.physics.bin import HOMES, SQUARES, Bin, BinSite
from firmware_sim.physics.drone import Drone, DroneSite
from firmware_sim.physics.flight import Zone, fence_around, polygon, position
from firmware_sim.physics.generic import GenericDevice
from firmware_sim.physics.grid import Circuit
from firmware_sim.physics.light import LampSite, Light
from firmware_sim.physics.model import Physics, generator
from firmware_sim.physics.sprayer import SWATH_M, TANK_L
from firmware_sim.plan import LINK_LOSS, SILENCE
from firmware_sim.specs import (
    CABINET,
    CIRCUIT,
    FIELDS,
    GATEWAY,
    Electronics,
    SimulatedDevice,
    TownContext,
    causes,
    opening,
)
from firmware_sim.titles import numbered

_RELAYED = 5
LAMPS_PER_CIRCUIT = 8
_WASTE = ("mixed", "mixed", "paper", "glass", "organic")


def make_devices(
    context: TownContext, kinds: Mapping[str, Kind], numbers: Mapping[str, int], *, gateways: int, others: int
) -> tuple[SimulatedDevice, ...]:
    """Return every device to register, parents before children."""
    devices: list[SimulatedDevice] = []
    for name, kind in kinds.items():
        match name:
            case "bin":
                devices += _bins(context, numbers["bin"], gateways)
            case "light":
                devices += _lights(context, numbers["light"])
            case "drone":
                devices += [_drone(context, i) for i in range(numbers["drone"])]
            case _:
                devices += [_other(context, kind, i) for i in range(others)]
    return tuple(devices)


def make_strangers(
    context: TownContext, kinds: Mapping[str, Kind], count: int
) -> tuple[SimulatedDevice, ...]:
    """Return devices that nobody registered."""
    if "bin" not in kinds:
        return ()
    strangers = []
    for i in range(count):
        device = _bin(context, 1000 + i)
        electronics = Electronics(bad="unknown_device")
        strangers.append(
            replace(device, name=context.name("STRANGER", i), causes=(), electronics=electronics)
        )
    return tuple(strangers)


def _spot(context: TownContext, noun: str, index: int, radius_m: float) -> tuple[float, float]:
    rng = generator(context.seed, "spot", noun, str(index))
    bearing, away = rng.uniform(0, 2 * math.pi), radius_m * math.sqrt(rng.uniform(0.0, 1.0))
    at = (away * math.sin(bearing), away * math.cos(bearing))
    lat, lon = position((context.place.lat, context.place.lon), at)
    return round(lat, 6), round(lon, 6)


def _titles(context: TownContext, lat: float, lon: float, index: int) -> dict[str, str]:
    """Return the place of the n-th of its sort, as people say it in each language."""
    return _numbered(context, quarter_at(context.place, *metres_around(context.place, lat, lon)), index)


def _numbered(context: TownContext, names: Mapping[str, str], index: int) -> dict[str, str]:
    return numbered(names, index + 1, context.place.locale)


def _structure(
    context: TownContext, kind: str, name: str, titles: Mapping[str, str], parent: str | None = None
) -> SimulatedDevice:
    lat, lon = _spot(context, name, 0, 700.0)
    return SimulatedDevice(
        name=name,
        kind=kind,
        municipality=context.municipality,
        lat=lat,
        lon=lon,
        title=titles["en"],
        titles=titles,
        parent=parent,
    )


def _bins(context: TownContext, count: int, gateways: int) -> list[SimulatedDevice]:
    relays = [
        _structure(context, "gateway", context.name("GW", i), _numbered(context, GATEWAY, i))
        for i in range(min(gateways, count // (2 * _RELAYED)))
    ]
    made = [_bin(context, i) for i in range(count)]
    for g, relay in enumerate(relays):
        for i in range(count - (g + 1) * _RELAYED, count - g * _RELAYED):
            made[i] = replace(made[i], relay=relay.name, electronics=Electronics(unknown_keys=0.02))
    first = count - len(relays) * _RELAYED - 3
    if first >= 10:
        clocks = (
            Electronics(clock="ahead", clock_ahead_s=720.0),
            Electronics(clock="ahead", clock_ahead_s=3 * 3600.0 + 17.0),
            Electronics(clock="unset"),
        )
        for offset, electronics in enumerate(clocks):
            steady = tuple(c for c in causes("bin") if c.name not in (SILENCE, LINK_LOSS))
            made[first + offset] = replace(made[first + offset], electronics=electronics, causes=steady)
    return [*relays, *made]


def _bin(context: TownContext, index: int) -> SimulatedDevice:
    rng = generator(context.seed, "bin", str(index))
    square = index % 3 == 0
    lat, lon = _spot(context, "bin", index, 900.0)
    site = BinSite(
        install_height_mm=float(rng.choice((1400, 1500, 1650))),
        usable_depth_mm=1200.0,
        volume_l=1100.0 if square else 770.0,
        fill_pct_per_day=float(rng.uniform(50, 150) if square else rng.uniform(5, 40)),
        profile=SQUARES if square else HOMES,
        collect_hours=tuple(sorted(float(h) for h in rng.uniform(0, 24, 3 if square else 1))),
        missed_collection=0.15,
        first_fill_pct={0: 88.0, 1: 91.0}.get(index, float(rng.uniform(5, 72))),
        first_charge=float(rng.uniform(0.35, 1.0)),
        extras=index % 4 == 0,
        local_hour=context.local_hour,
        slow_truck=0.05,
        sunshine_c=float(rng.uniform(8, 26)),
        home=(lat, lon) if index % 2 == 0 else None,
    )
    name = context.name("BIN", index)
    return SimulatedDevice(
        name=name,
        kind="bin",
        municipality=context.municipality,
        lat=lat,
        lon=lon,
        title=_titles(context, lat, lon, index)["en"],
        titles=_titles(context, lat, lon, index),
        attributes={
            "install_height_mm": site.install_height_mm,
            "usable_depth_mm": site.usable_depth_mm,
            "volume_l": site.volume_l,
            "stored_waste_kind": _WASTE[index % len(_WASTE)],
            "route": f"R{index % 4 + 1}",
            **context.interval(600.0),
        },
        electronics=Electronics(
            text_time=index % 5 == 3,
            counted=index % 3 == 1,
            resends=0.02,
            unknown_keys=0.02,
            malformed=0.15 if index == 8 else 0.0,
            obeys_after_s=20.0 if index % 10 == 6 else 0.0,
        ),
        physics=partial(_make_bin, context, site, name),
        causes=causes("bin"),
        opening=opening("bin", index),
    )


def _make_bin(context: TownContext, site: BinSite, name: str) -> Physics:
    return Bin(site, context.weather, context.interval_cap_s, generator(context.seed, "physics", name))


def _lights(context: TownContext, count: int) -> list[SimulatedDevice]:
    devices: list[SimulatedDevice] = []
    if not count:
        return devices
    cabinet = _structure(context, "cabinet", context.name("CAB", 0), _numbered(context, CABINET, 0))
    devices.append(cabinet)
    for c in range(math.ceil(count / LAMPS_PER_CIRCUIT)):
        circuit = _structure(
            context, "circuit", context.name("CIR", c), _numbered(context, CIRCUIT, c), cabinet.name
        )
        devices.append(circuit)
        grid = Circuit(circuit.name, context.seed, context.place.lon)
        devices += [
            _light(context, i, grid, cabinet.name, (circuit.lat, circuit.lon))
            for i in range(c * LAMPS_PER_CIRCUIT, min(count, (c + 1) * LAMPS_PER_CIRCUIT))
        ]
    return devices


def _light(
    context: TownContext, index: int, circuit: Circuit, cabinet: str, street: tuple[float, float]
) -> SimulatedDevice:
    rng = generator(context.seed, "light", str(index))
    rated = float(rng.choice((60, 90, 120)))
    site = LampSite(
        rated_power_w=rated,
        first_energy_kwh=float(rng.uniform(100, 4000)),
        first_burn_hours=float(rng.uniform(2000, 40000)),
        local_hour=context.local_hour,
    )
    along = 35.0 * (index % LAMPS_PER_CIRCUIT)
    bearing = 1.1 * (index // LAMPS_PER_CIRCUIT)
    lat, lon = position(street, (along * math.sin(bearing), along * math.cos(bearing)))
    name = context.name("LGT", index)
    return SimulatedDevice(
        name=name,
        kind="light",
        municipality=context.municipality,
        lat=round(lat, 6),
        lon=round(lon, 6),
        title=_titles(context, lat, lon, index)["en"],
        titles=_titles(context, lat, lon, index),
        parent=circuit.name,
        attributes={
            "rated_power_w": rated,
            "circuit": circuit.name,
            "cabinet": cabinet,
            "pole": f"P{index + 1:04d}",
            "lamp_technology": "LED",
            **context.interval(900.0),
        },
        electronics=Electronics(
            text_time=index % 7 == 5,
            counted=index % 6 == 2,
            resends=0.01,
            unknown_keys=0.01,
            obeys_after_s=4.0 if index % 8 == 3 else 0.0,
            obeys=index % 12 != 10,
        ),
        physics=partial(_make_light, context, site, circuit, name),
        causes=causes("light"),
        opening=opening("light", index),
    )


def _make_light(context: TownContext, site: LampSite, circuit: Circuit, name: str) -> Physics:
    rng = generator(context.seed, "physics", name)
    return Light(site, circuit, context.weather, context.interval_cap_s, rng)


def _drone(context: TownContext, index: int) -> SimulatedDevice:
    rng = generator(context.seed, "drone", str(index))
    far = index % 3 == 2
    zone = Zone(
        name=f"Orchard {chr(ord('A') + index % 26)}",
        east=520.0 if far else 22.0,
        north=300.0 if far else 10.0,
        width=100.0,
        depth=60.0 if far else 40.0,
    )
    name = context.name("DRN", index)
    orchards = position((context.place.lat, context.place.lon), (2400.0, -1500.0 - 400.0 * index))
    home = (round(orchards[0], 7), round(orchards[1], 7))
    site = DroneSite(
        name=name,
        home=home,
        zone=zone,
        fence=fence_around(zone, 20.0),
        target_l_ha=float(rng.choice((80, 100, 120))),
        first_takeoff_s=1.0 + 2.0 * index,
        first_cycles=int(rng.integers(10, 200)),
        hours=context.drone_hours,
    )
    return SimulatedDevice(
        name=name,
        kind="drone",
        municipality=context.municipality,
        lat=home[0],
        lon=home[1],
        title=_numbered(context, FIELDS, index)["en"],
        titles=_numbered(context, FIELDS, index),
        attributes={
            "home_lat": home[0],
            "home_lon": home[1],
            "swath_m": SWATH_M,
            "tank_capacity_l": TANK_L,
            "max_altitude_m": 30.0,
            "geofence": polygon(home, site.fence),
            "zone_area": polygon(home, zone.edges),
            "target_l_ha": site.target_l_ha,
            **context.interval(60.0),
        },
        electronics=Electronics(counted=True, resends=0.002),
        physics=partial(_make_drone, context, site, name),
        causes=causes("drone"),
        opening=opening("drone", index),
    )


def _make_drone(context: TownContext, site: DroneSite, name: str) -> Physics:
    return Drone(site, context.weather, context.interval_cap_s, generator(context.seed, "physics", name))


def _other(context: TownContext, kind: Kind, index: int) -> SimulatedDevice:
    name = context.name(kind.name.upper().replace("_", "-")[:20], index)
    lat, lon = _spot(context, kind.name, index, 800.0)
    defaults = {a.name: a.default for a in kind.attributes if a.default is not None}
    longest = max(r.every_s for r in kind.reporting)
    return SimulatedDevice(
        name=name,
        kind=kind.name,
        municipality=context.municipality,
        lat=lat,
        lon=lon,
        title=f"{kind.title.get('en', kind.name)} {index + 1}",
        titles=_numbered(context, kind.title, index),
        attributes={**defaults, **context.interval(longest)},
        electronics=Electronics(resends=0.01),
        physics=partial(_make_other, context, kind, name),
    )


def _make_other(context: TownContext, kind: Kind, name: str) -> Physics:
    return GenericDevice(kind, context.interval_cap_s, generator(context.seed, "physics", name))
