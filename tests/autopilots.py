"""Packets of MAVLink as an autopilot sends them, packed by pymavlink."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymavlink.dialects.v20 import ardupilotmega

POSITION: Mapping[str, int] = {
    "lat": 344381000, "lon": 358308000, "alt": 45200, "relative_alt": 12400,
    "vx": 310, "vy": -45, "vz": 2, "hdg": 27350,
}  # fmt: skip


class Autopilot:
    """One vehicle, or another component of it; started_at: microseconds since 1970-01-01Z."""

    def __init__(self, started_at: int, system: int = 1, component: int = 1) -> None:
        self._started_at = started_at
        self._link = ardupilotmega.MAVLink(None, system, component)

    def pack(self, message: Any, *, first: bool = False) -> bytes:
        """Return a packet of MAVLink 2, or of the first version."""
        packet: bytes = message.pack(self._link, force_mavlink1=first)
        self._link.seq = (self._link.seq + 1) % 256
        return packet

    def clock(self, at: int) -> bytes:
        """Return SYSTEM_TIME."""
        return self.pack(ardupilotmega.MAVLink_system_time_message(at, self._since(at)))

    def position(self, at: int, **changes: int) -> bytes:
        """Return GLOBAL_POSITION_INT."""
        fields = {"time_boot_ms": self._since(at), **POSITION, **changes}
        return self.pack(ardupilotmega.MAVLink_global_position_int_message(**fields))

    def battery(self, percent: int, millivolts: int = 22_210) -> bytes:
        """Return SYS_STATUS, which says no time."""
        told = (0, 0, 0, 320, millivolts, 1530, percent, 0, 0, 0, 0, 0, 0)
        return self.pack(ardupilotmega.MAVLink_sys_status_message(*told))

    def speed(self, mps: float) -> bytes:
        """Return VFR_HUD."""
        return self.pack(ardupilotmega.MAVLink_vfr_hud_message(mps, mps, 273, 40, 45.25, 0.5))

    def named(self, at: int, name: str, value: float) -> bytes:
        """Return NAMED_VALUE_FLOAT."""
        told = (self._since(at), name.encode(), value)
        return self.pack(ardupilotmega.MAVLink_named_value_float_message(*told))

    def heartbeat(self) -> bytes:
        """Return HEARTBEAT."""
        return self.pack(ardupilotmega.MAVLink_heartbeat_message(2, 3, 81, 4, 4, 3))

    def _since(self, at: int) -> int:
        return (at - self._started_at) // 1_000


def damaged(packet: bytes) -> bytes:
    """Return a packet with one bit of its payload turned over."""
    return packet[:12] + bytes([packet[12] ^ 1]) + packet[13:]
