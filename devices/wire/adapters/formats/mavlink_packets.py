"""Packets of MAVLink 1 and 2, cut out of bytes and decoded by pymavlink (the extra `nabd[mavlink]`). Pure.

Of the dialect `ardupilotmega`, which holds the common message set. Checksums are checked, signatures are not:
nobody tells us the key. Must not know what messages mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from devices.wire.adapters.formats.bounded import check_size
from devices.wire.adapters.formats.heard import FormatAway
from devices.wire.adapters.uplink import Unreadable

MAX_PACKETS: Final = 4_000
"""Most packets of one message: some tens of milliseconds to decode."""
MAX_TRIES: Final = 1_000
"""How many places of damaged bytes are tried for the packet after them; the rest is told as one piece."""
MAX_DAMAGED: Final = 100
"""Most pieces of one message that are told apart; the rest of it is the last one's."""
_HEADER: Final = {0xFE: 6, 0xFD: 10}
"""Bytes before the payload, by the first one: of MAVLink 1 and 2."""
_CHECKSUM: Final = 2
_SIGNED: Final = 0x01
_SIGNATURE: Final = 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet.

    name: of its message, `UNKNOWN_` and a number where the dialect has none; behind it which one it is of
    several, where that is not 0: BATTERY_STATUS_1, NAMED_VALUE_FLOAT_flow.
    fields: in the units of the message set; None is not known. Without any where the message is unknown.
    """

    system: int
    component: int
    name: str
    fields: dict[str, object]
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """Bytes that are no packet, or one that is not whole; system: by what is left of it."""

    raw: bytes
    why: str
    system: int | None = None


class _Broken(Exception):
    """No packet stands at a place. size: what it would be by its length, 0: nobody knows."""

    def __init__(self, why: str, *, size: int = 0, system: int | None = None) -> None:
        super().__init__(why)
        self.size, self.system = size, system


class Packets:
    """Cuts packets out of messages.

    Raises:
        FormatAway: pymavlink is not installed.
    """

    def __init__(self) -> None:
        self._dialect = _dialect()
        self._decoder = self._dialect.MAVLink(None)

    def read(self, payload: bytes) -> Iterator[Packet | Damaged]:
        """Yield what stands in a message, in its order; all of it is yielded.

        Raises:
            Unreadable: it is empty, too large, or of more than MAX_PACKETS.
        """
        check_size(payload)
        at = found = tries = pieces = 0
        while at < len(payload):
            try:
                end = at + self._checked(payload, at)
            except _Broken as broken:
                end, tried = self._after(payload, at, broken.size, MAX_TRIES - tries)
                tries += tried
                pieces += 1
                if pieces == MAX_DAMAGED:
                    end = len(payload)
                yield Damaged(raw=payload[at:end], why=f"byte {at}: {broken}", system=broken.system)
            else:
                found += 1
                if found > MAX_PACKETS:
                    raise Unreadable(f"more than {MAX_PACKETS:,} packets in one message")
                yield self._packet(payload[at:end])
            at = end

    def _checked(self, payload: bytes, at: int) -> int:
        """Return the size of the packet that stands at a place.

        Raises:
            _Broken: none does.
        """
        header = _HEADER.get(payload[at])
        if header is None:
            raise _Broken("no packet begins so: MAVLink 1 begins with fe, MAVLink 2 with fd")
        head = payload[at : at + header]
        if len(head) < header:
            raise _Broken(f"a packet is cut off in its header; {_WHOLE}")
        system, _, number = _origin(head)
        flags = head[2] if header == 10 else 0
        what = f"{self._name(number)} of system {system}"
        size = header + head[1] + _CHECKSUM + (_SIGNATURE if flags & _SIGNED else 0)
        if flags & ~_SIGNED:
            raise _Broken(f"{what} must be understood and is not: flags {flags:#04x}", system=system)
        if at + size > len(payload):
            there = len(payload) - at
            raise _Broken(f"{what} is cut off: {there} of {size} bytes; {_WHOLE}", system=system)
        kind = self._dialect.mavlink_map.get(number)
        if kind is None:
            if at + size < len(payload) and payload[at + size] not in _HEADER:
                raise _Broken(f"{what} is no known message, and no packet follows it", system=system)
            return size
        checked = at + header + head[1]
        expected = self._dialect.x25crc(payload[at + 1 : checked] + bytes([kind.crc_extra])).crc
        said = int.from_bytes(payload[checked : checked + _CHECKSUM], "little")
        if said != expected:
            why = f"{what} has a wrong checksum, {said:04x} instead of {expected:04x}: {_DAMAGED}"
            raise _Broken(why, size=size, system=system)
        return size

    def _after(self, payload: bytes, at: int, size: int, tries: int) -> tuple[int, int]:
        """Return where what is damaged ends, and how many places were tried for it.

        A packet with a wrong checksum ends where it says, if another begins there; else the next one that is
        whole and known ends it.
        """
        if size and (at + size == len(payload) or payload[at + size] in _HEADER):
            return at + size, 0
        tried = 0
        for place in range(at + 1, len(payload)):
            if payload[place] not in _HEADER:
                continue
            if tried >= tries:
                break
            tried += 1
            try:
                self._checked(payload, place)
            except _Broken:
                continue
            if _origin(payload[place : place + 10])[2] in self._dialect.mavlink_map:
                return place, tried
        return len(payload), tried

    def _packet(self, raw: bytes) -> Packet:
        system, component, number = _origin(raw[:10])
        if number not in self._dialect.mavlink_map:
            return Packet(system=system, component=component, name=self._name(number), fields={}, raw=raw)
        message = self._decoder.decode(bytearray(raw))
        fields = message.to_dict()
        name = fields.pop("mavpackettype")
        instance = fields.get(message.instance_field)
        return Packet(
            system=system,
            component=component,
            name=f"{name}_{instance}" if instance else name,
            fields={field: _known(value) for field, value in fields.items()},
            raw=raw,
        )

    def _name(self, number: int) -> str:
        kind = self._dialect.mavlink_map.get(number)
        return f"UNKNOWN_{number}" if kind is None else str(kind.msgname)


_WHOLE: Final = "a message holds whole packets"
_DAMAGED: Final = "damaged on its way, or of another dialect"


def _origin(head: bytes) -> tuple[int, int, int]:
    """Return system, component and number of message, of the first bytes of a packet."""
    if head[0] == 0xFE:
        return head[3], head[4], head[5]
    return head[5], head[6], int.from_bytes(head[7:10], "little")


def _known(value: Any) -> object:
    """Return the value of a field; what is no number is not known, by MAVLink's convention."""
    if isinstance(value, list):
        return [_known(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _dialect() -> ModuleType:
    try:
        # Not above: an installation without drones needs none of it.
        from pymavlink.dialects.v20 import ardupilotmega
    except ImportError as error:
        raise FormatAway(NEEDS) from error
    dialect: ModuleType = ardupilotmega
    return dialect


NEEDS: Final = "packets of MAVLink need the extra: pip install 'nabd[mavlink]'"
