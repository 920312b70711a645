"""One vehicle that speaks MAVLink: its clock, and which of its messages stand for a second. Pure.

Autopilots count the time since they started; SYSTEM_TIME says when that was. Many messages say no time: they
are of the second of those around them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from devices.wire.adapters.formats.bounded import LAST_INSTANT
from devices.wire.adapters.formats.mavlink_packets import Packet

CLOCK: Final = "SYSTEM_TIME"
SECOND: Final = 1_000_000
RECENT_US: Final = 2 * SECOND
"""For how long a message without time is of the second that was heard last."""
KEPT: Final = 10
"""Seconds whose messages are known, so that one that comes again is told from another."""
MAX_MESSAGES: Final = 100
"""Most messages of different names that stand for one second."""
OFF_US: Final = SECOND
"""A clock that is off by less is not set anew: what comes again is of the same second."""
ANOTHER_START_US: Final = 60 * SECOND
"""Who is younger than before, by so much, has started anew; by less it is a message that comes again."""
_SINCE_1970: Final = 10**15
"""From here on `time_usec` counts from 1970 (it is 2001), below from the start: both are allowed."""


@dataclass(slots=True)
class Vehicle:
    """Instants are microseconds since 1970-01-01Z; seconds are whole ones since then."""

    _started_at: int | None = None
    _oldest: int = 0
    _latest: tuple[int, int] | None = None
    _kept: OrderedDict[int, dict[str, bytes]] = field(default_factory=OrderedDict)

    def set_clock(self, packet: Packet) -> None:
        """Learn when it started, from SYSTEM_TIME that knows the date."""
        since, at = packet.fields.get("time_boot_ms"), packet.fields.get("time_unix_usec")
        if not (isinstance(since, int) and isinstance(at, int) and _SINCE_1970 <= at < LAST_INSTANT):
            return
        started_at = at - since * 1_000
        if self._started_at is None or abs(started_at - self._started_at) > OFF_US:
            self._started_at, self._oldest = started_at, since * 1_000

    def seconds(self, packets: Sequence[Packet], received_at: int) -> list[int | None]:
        """Return the second of each packet of one message; None: nobody can tell."""
        found = [self._by_itself(packet) for packet in packets]
        current = next((second for second in found if second is not None), None)
        alone = current is None
        if alone and self._latest is not None and 0 <= received_at - self._latest[1] <= RECENT_US:
            current = self._latest[0]
        for place, packet in enumerate(packets):
            if _says_time(packet):
                current = found[place]
            else:
                found[place] = (self._before(packet) if alone else None) or current
        if not alone and current is not None:
            self._latest = current, received_at
        return found

    def stands_for(self, second: int, packet: Packet) -> bool:
        """Tell whether a packet is the first of its message in a second, or that one again."""
        if second not in self._kept:
            self._kept[second] = {}
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        kept = self._kept[second]
        if len(kept) >= MAX_MESSAGES and packet.name not in kept:
            return False
        return kept.setdefault(packet.name, packet.raw) == packet.raw

    def _by_itself(self, packet: Packet) -> int | None:
        at = packet.fields.get("time_usec")
        if isinstance(at, int) and at >= _SINCE_1970:
            return _second(at)
        since = _since_start(packet)
        if since is None:
            return None
        if since < self._oldest - ANOTHER_START_US:
            self._started_at, self._oldest = None, 0
        self._oldest = max(self._oldest, since)
        return None if self._started_at is None else _second(self._started_at + since)

    def _before(self, packet: Packet) -> int | None:
        """Return the second of a packet that came before, byte for byte."""
        return next((s for s in reversed(self._kept) if self._kept[s].get(packet.name) == packet.raw), None)


def _says_time(packet: Packet) -> bool:
    return bool(packet.fields.get("time_usec")) or "time_boot_ms" in packet.fields


def _since_start(packet: Packet) -> int | None:
    """Return how long the vehicle had run by then, in microseconds."""
    since = packet.fields.get("time_boot_ms")
    if isinstance(since, int):
        return since * 1_000
    since = packet.fields.get("time_usec")
    return since if isinstance(since, int) and 0 < since < _SINCE_1970 else None


def _second(at: int) -> int | None:
    return at // SECOND if 0 <= at < LAST_INSTANT else None
