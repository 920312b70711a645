"""MAVLink over MQTT: packets of drones as their radio or companion computer forwards them.

Pure. A message holds whole packets, one or more. Its topic names the vehicle, `.../VEHICLE` or
`.../VEHICLE/mavlink`, or a link of several, `.../LINK/link`: those are called LINK:SYSTEM. What a vehicle's
autopilot says within one second of its clock becomes one uplink of the message, by the names of messages and
fields; its other components have clocks of their own and are left alone.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from devices.wire.adapters.formats.bounded import MAX_UPLINKS, named
from devices.wire.adapters.formats.heard import Heard, RefusedPart
from devices.wire.adapters.formats.mavlink_packets import Damaged, Packet, Packets
from devices.wire.adapters.formats.vehicle import CLOCK, SECOND, Vehicle
from devices.wire.adapters.uplink import Unreadable, Uplink
from devices.wire.topics import FOREIGN

MAX_VEHICLES: Final = 1_000
"""Most vehicles of one source whose clocks are known: those that were heard last."""
MAX_OF_TOPIC: Final = 100
"""Most of these that one topic may have: whoever speaks for many costs others nothing."""
_PACKETS, _LINK = "mavlink", "link"
"""What may stand last in a topic: behind the name of a vehicle, behind that of a link."""
_NO_VEHICLES: Final = frozenset({0, 255})
"""Numbers of systems that are none: everybody, and the ground station."""
_AUTOPILOT: Final = 1
"""The component that speaks for a vehicle."""


@dataclass(slots=True)
class Mavlink:
    """Reads the messages of one source; see heard.FormatReader.

    Raises:
        FormatAway: pymavlink is not installed.
    """

    _packets: Packets = field(default_factory=Packets)
    _vehicles: OrderedDict[tuple[str, int], Vehicle] = field(default_factory=OrderedDict)

    def read(self, topic: str, payload: bytes, received_at: int, *, repeated: bool = False) -> Heard:
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
            elif one.system in _NO_VEHICLES or one.component != _AUTOPILOT or not one.fields:
                heard.unread[one.name] += 1
            else:
                spoken.setdefault(one.system, []).append(one)
        for system, packets in spoken.items():
            vehicle = self._vehicle(topic, system)
            seconds = vehicle.seconds(packets, received_at, repeated=repeated)
            device = _device(name, system, of_several)
            heard.uplinks.extend(_uplinks(device, vehicle, zip(packets, seconds, strict=True), heard.unread))
        if len(heard.uplinks) > MAX_UPLINKS:
            raise Unreadable(f"{len(heard.uplinks)} vehicles and seconds, the limit is {MAX_UPLINKS}")
        return heard

    def overdue(self, now: int) -> Heard:
        return Heard()

    def _vehicle(self, topic: str, system: int) -> Vehicle:
        """Return one; where there are too many, the one that was heard longest ago is forgotten."""
        key = topic, system
        if key not in self._vehicles:
            of_topic = [one for one in self._vehicles if one[0] == topic]
            if len(of_topic) >= MAX_OF_TOPIC:
                del self._vehicles[of_topic[0]]
            elif len(self._vehicles) >= MAX_VEHICLES:
                self._vehicles.popitem(last=False)
            self._vehicles[key] = Vehicle()
        self._vehicles.move_to_end(key)
        return self._vehicles[key]


def _uplinks(
    device: str, vehicle: Vehicle, dated: Iterable[tuple[Packet, int | None]], unread: Counter[str]
) -> list[Uplink]:
    """Return what one vehicle says in a message, by its seconds; what it says again in one is left."""
    found: dict[int | None, dict[str, Packet]] = {}
    for packet, second in dated:
        if packet.name == CLOCK:
            continue
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
    """Return the name of the vehicle, or of a link and that it is one.

    On our own broker it stands right below the municipality: there accounts are confined by it.
    """
    levels = topic.split("/")
    last = levels.pop() if levels[-1] in (_PACKETS, _LINK) else ""
    if not levels or not levels[-1]:
        raise Unreadable(f"{topic[:80]!r} names nobody: expected VEHICLE, VEHICLE/{_PACKETS} or LINK/{_LINK}")
    if levels[0] == FOREIGN and len(levels) != 3:
        own = f"{FOREIGN}/MUNICIPALITY/"
        why = (
            f"a vehicle or link stands right below {own}, as in {own}VEHICLE/{_PACKETS} and {own}LINK/{_LINK}"
        )
        raise Unreadable(f"{topic[:80]!r} names nobody: {why}")
    return named(levels[-1], "a vehicle"), last == _LINK


def _device(name: str, system: int | None, of_several: bool) -> str:
    if not of_several:
        return name
    return "" if system is None else f"{name}:{system}"
