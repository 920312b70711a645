"""MAVLink over MQTT: packets of drones as their radio or companion computer forwards them.

Pure. A message holds whole packets, one or more. Its topic names the vehicle, `.../VEHICLE` or
`.../VEHICLE/mavlink`, or a link of several, `.../LINK/link`: those are called LINK:SYSTEM. What a vehicle
says within one second of its clock becomes one uplink of the message, by the names of messages and fields.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from devices.wire.adapters.formats.bounded import MAX_UPLINKS, named
from devices.wire.adapters.formats.heard import Heard, RefusedPart
from devices.wire.adapters.formats.mavlink_packets import Damaged, Packet, Packets
from devices.wire.adapters.formats.vehicle import CLOCK, SECOND, Vehicle
from devices.wire.adapters.uplink import Unreadable, Uplink

MAX_VEHICLES: Final = 1_000
"""Most vehicles that one source may have."""
_PACKETS, _LINK = "mavlink", "link"
"""What may stand last in a topic: behind the name of a vehicle, behind that of a link."""
_NO_VEHICLES: Final = frozenset({0, 255})
"""Numbers of systems that are none: everybody, and the ground station."""
_NO_PARTS: Final = frozenset({68, 190})
"""Components that are no part of a vehicle: the telemetry radio, the ground station."""


@dataclass(slots=True)
class Mavlink:
    """Reads the messages of one source; see heard.FormatReader.

    Raises:
        FormatAway: pymavlink is not installed.
    """

    _packets: Packets = field(default_factory=Packets)
    _vehicles: dict[tuple[str, int], Vehicle] = field(default_factory=dict)

    def read(self, topic: str, payload: bytes, received_at: int) -> Heard:
        """Return what a message says; what is damaged is refused alone, with why.

        Raises:
            Unreadable: the topic names nobody, or the message is too large or of too many seconds.
        """
        name, of_several = _addressed(topic)
        heard = Heard()
        spoken: dict[int, list[Packet]] = {}
        for one in self._packets.read(payload):
            if isinstance(one, Damaged):
                device = _device(name, one.system, of_several)
                heard.refused.append(RefusedPart(raw=one.raw, why=f"mavlink: {one.why}", device=device))
            elif one.system in _NO_VEHICLES or one.component in _NO_PARTS or not one.fields:
                heard.unread[one.name] += 1
            else:
                spoken.setdefault(one.system, []).append(one)
        for system, packets in spoken.items():
            vehicle = self._vehicle(topic, system)
            device = _device(name, system, of_several)
            heard.uplinks.extend(_uplinks(device, vehicle, packets, received_at, heard.unread))
        if len(heard.uplinks) > MAX_UPLINKS:
            raise Unreadable(f"{len(heard.uplinks)} vehicles and seconds, the limit is {MAX_UPLINKS}")
        return heard

    def overdue(self, now: int) -> Heard:
        return Heard()

    def _vehicle(self, topic: str, system: int) -> Vehicle:
        if (topic, system) not in self._vehicles and len(self._vehicles) >= MAX_VEHICLES:
            raise Unreadable(f"system {system} is one vehicle too many: {MAX_VEHICLES:,} at most")
        return self._vehicles.setdefault((topic, system), Vehicle())


def _uplinks(
    device: str, vehicle: Vehicle, packets: list[Packet], received_at: int, unread: Counter[str]
) -> list[Uplink]:
    """Return what one vehicle says in a message, by its seconds; what it says again in one is left."""
    for packet in packets:
        if packet.name == CLOCK:
            vehicle.set_clock(packet)
    told = [packet for packet in packets if packet.name != CLOCK]
    found: dict[int | None, dict[str, Packet]] = {}
    for packet, second in zip(told, vehicle.seconds(told, received_at), strict=True):
        chosen = found.setdefault(second, {})
        if second is None:
            if packet.name in chosen:
                unread[packet.name] += 1
            chosen[packet.name] = packet  # heard now: the last one is the nearest
        elif vehicle.stands_for(second, packet):
            chosen.setdefault(packet.name, packet)
        else:
            unread[packet.name] += 1
    return [
        Uplink(
            device=device,
            raw=b"".join(packet.raw for packet in chosen.values()),
            at=None if second is None else second * SECOND,
            values={name: packet.fields for name, packet in chosen.items()},
            of_stream=True,
        )
        for second, chosen in found.items()
        if chosen
    ]


def _addressed(topic: str) -> tuple[str, bool]:
    """Return the name of the vehicle, or of a link and that it is one."""
    levels = topic.split("/")
    last = levels.pop() if levels[-1] in (_PACKETS, _LINK) else ""
    if not levels or not levels[-1]:
        raise Unreadable(f"{topic[:80]!r} names nobody: expected VEHICLE, VEHICLE/{_PACKETS} or LINK/{_LINK}")
    return named(levels[-1], "a vehicle"), last == _LINK


def _device(name: str, system: int | None, of_several: bool) -> str:
    if not of_several:
        return name
    return "" if system is None else f"{name}:{system}"
