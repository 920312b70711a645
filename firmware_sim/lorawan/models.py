"""Four models of other vendors: what each sends, byte by byte, and what that says.

From the public documents that the profiles name, and apart from these: one mistake is not made twice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from firmware_sim.physics.model import Value

_FULL_MM, _EMPTY_MM = 300, 1_450
_LEVELS = (0, 30, 50, 70, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one frame says. values: measurements, as they must be stored."""

    port: int
    payload: bytes
    values: Mapping[str, Value]


Speak = Callable[[np.random.Generator, int], Said]
"""What a device says for the n-th time; its generator is always as it was for the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CityModel:
    """One model. name: as people write it; profile: what reads it at Nabd; eui: how its DevEUIs begin."""

    name: str
    profile: str
    kind: str
    eui: str
    speak: Speak


def _distance_mm(rng: np.random.Generator, n: int) -> int:
    """Return the distance to the waste, which grows and is taken away."""
    begin, step = rng.integers(0, _EMPTY_MM - _FULL_MM), rng.integers(5, 40)
    return int(_EMPTY_MM - (begin + n * step) % (_EMPTY_MM - _FULL_MM))


def em310_udl(rng: np.random.Generator, n: int) -> Said:
    """Milesight EM310-UDL: channels of two bytes and a value, little-endian."""
    distance, battery, lies = _distance_mm(rng, n), int(rng.integers(60, 100)), n % 7 == 6
    payload = struct.pack("<BBB BBH BBB", 0x01, 0x75, battery, 0x03, 0x82, distance, 0x04, 0x00, lies)
    values = {"distance_mm": distance, "battery_pct": battery, "tilt_deg": 90 if lies else 0}
    return Said(port=85, payload=payload, values=values)


def df702(rng: np.random.Generator, n: int) -> Said:
    """Dingtek DF702: one packet of 17 bytes, big-endian, its own counter at the end."""
    distance, temperature, angle = _distance_mm(rng, n), int(rng.integers(-10, 45)), int(rng.integers(0, 12))
    full = distance < 2 * _FULL_MM
    payload = struct.pack(
        ">BBBBB HBbBB BBH BB",
        *(0x80, 0x00, 0x01, 0x01, 0x11),
        *(distance, 0, temperature, 0, angle),
        *(full << 4, 0, n & 0xFFFF),
        *(0x00, 0x81),
    )
    values = {"distance_mm": distance, "temperature_c": temperature, "tilt_deg": angle}
    return Said(port=3, payload=payload, values=values)


def dl_mbx(rng: np.random.Generator, n: int) -> Said:
    """Decentlab DL-MBX: flags say which blocks follow, big-endian; every fifth frame has the battery only."""
    device, distance, battery_mv = int(rng.integers(1, 65_536)), _distance_mm(rng, n), 3_000 - n
    battery = struct.pack(">H", battery_mv)
    if n % 5 == 4:
        payload = struct.pack(">BHH", 2, device, 0b10) + battery
        return Said(port=1, payload=payload, values={"battery_v": battery_mv / 1000})
    payload = struct.pack(">BHHHH", 2, device, 0b11, distance, 10) + battery
    return Said(port=1, payload=payload, values={"distance_mm": distance, "battery_v": battery_mv / 1000})


def ul20xx(rng: np.random.Generator, n: int) -> Said:
    """NAS UL20xx, a controller in a Zhaga socket: what its light does and what it uses, in turn."""
    energy_wh, hours = int(rng.integers(1_000, 900_000)), int(rng.integers(10, 20_000))
    level = _LEVELS[(int(rng.integers(5)) + n // 2) % len(_LEVELS)]
    if n % 2 == 0:
        head = struct.pack("<IBBbbBB", 1_600_000_000 + n, 0, 75, 4, 21, 0x02, 0xAE)
        profiles = bytes((5, 5, 10, 0xFF, level, 3, 3, 6, 0xFF, 0))
        return Said(port=24, payload=head + profiles, values={"dim_pct": level})
    power, factor, voltage = (
        int(rng.integers(0, 120)),
        int(rng.integers(80, 100)),
        int(rng.integers(215, 245)),
    )
    energy_wh += n * 10
    lamp_s = (hours + n) * 3_600
    own = struct.pack("<BBI", 0xFF, 0x80, lamp_s)
    driver = struct.pack(
        "<BB IHIHBBII",
        *(0x12, 0xFF),
        *(energy_wh, power, energy_wh * 9 // 10, power * 9 // 10, factor, voltage, lamp_s * 2, lamp_s),
    )
    values = {
        "power_w": power,
        "energy_kwh": energy_wh / 1000,
        "voltage_v": voltage,
        "power_factor": factor / 100,
        "burn_hours": lamp_s / 3_600,
    }
    return Said(port=26, payload=b"\x00" + own + driver, values=values)


MODELS: Final = (
    CityModel(name="EM310-UDL", profile="milesight-em310-udl", kind="bin", eui="24E124136A", speak=em310_udl),
    CityModel(name="DF702", profile="dingtek-df702", kind="bin", eui="8CF9572000", speak=df702),
    CityModel(name="DL-MBX", profile="decentlab-dl-mbx", kind="bin", eui="70B3D57BA0", speak=dl_mbx),
    CityModel(name="UL2030", profile="nas-ul20xx", kind="light", eui="7FF9010203", speak=ul20xx),
)
"""All of them."""
