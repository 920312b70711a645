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
MAX_KEPT: Final = 300
"""Most messages that are known of all these seconds, of one vehicle: some 40 kB."""
OFF_US: Final = SECOND
"""A clock that is off by less is not set anew: what comes again is of the same second."""
ANOTHER_START_US: Final = 10 * SECOND
"""Who is younger than before, and by so much younger than it should be now, has started anew."""
AHEAD_US: Final = 3_600 * SECOND
"""What is dated further ahead of all that was heard is no time."""
_SINCE_1970: Final = 10**15
"""From here on `time_usec` counts from 1970 (it is 2001), below from the start: both are allowed."""


@dataclass(slots=True)
class Vehicle:
    """Instants are microseconds since 1970-01-01Z; seconds are whole ones since then."""

    _started_at: int | None = None
    _uptime: tuple[int, int] = (0, 0)
    """How long it had run at most, of this start, and when we heard so."""
    _latest: tuple[int, int] | None = None
    _kept: OrderedDict[int, dict[str, int]] = field(default_factory=OrderedDict)
    """By second and message the 64-bit hash of the packet that stands for it."""

    def seconds(self, packets: Sequence[Packet], received_at: int, *, repeated: bool) -> list[int | None]:
        """Return the second of each packet of one message, SYSTEM_TIME among them; None: nobody can tell.

        Each is dated by the clock as it was known then; by a later one only where none was.
        """
        found: list[int | None] = []
        for packet in packets:
            was_unknown = self._started_at is None
            if packet.name == CLOCK:
                self._set_clock(packet, received_at)
                if was_unknown:
                    found = [second or self._backwards(packets[n]) for n, second in enumerate(found)]
            found.append(self._by_itself(packet, received_at, repeated=repeated))
        current = next((second for second in found if second is not None), None)
        alone = current is None
        if alone and self._latest is not None and 0 <= received_at - self._latest[1] <= RECENT_US:
            current = self._latest[0]
        for place, packet in enumerate(packets):
            if _says_time(packet):
                current = found[place]
            else:
                found[place] = (self._before(packet) if alone and repeated else None) or current
        if not alone and current is not None:
            self._latest = current, received_at
        return found

    def stands_for(self, second: int, packet: Packet) -> bool:
        """Tell whether a packet is the first of its message in a second, or that one again."""
        kept = self._kept.setdefault(second, {})
        if packet.name not in kept:
            if len(kept) >= MAX_MESSAGES:
                return False
            kept[packet.name] = hash(packet.raw)
            while len(self._kept) > KEPT or sum(map(len, self._kept.values())) > MAX_KEPT:
                self._kept.popitem(last=False)
        return kept[packet.name] == hash(packet.raw)

    def _set_clock(self, packet: Packet, received_at: int) -> None:
        """Learn when it started, from SYSTEM_TIME that knows the date."""
        since, at = packet.fields.get("time_boot_ms"), packet.fields.get("time_unix_usec")
        if not (isinstance(since, int) and isinstance(at, int) and _SINCE_1970 <= at < LAST_INSTANT):
            return
        started_at = at - since * 1_000
        if self._started_at is None or abs(started_at - self._started_at) > OFF_US:
            self._started_at = started_at
        self._uptime = since * 1_000, received_at

    def _by_itself(self, packet: Packet, received_at: int, *, repeated: bool) -> int | None:
        at = packet.fields.get("time_usec")
        if isinstance(at, int) and at >= _SINCE_1970:
            return _second(at)
        since = _since_start(packet)
        if since is None or self._started_at is None:
            return None
        uptime, heard_at = self._uptime
        late = uptime + max(0, received_at - heard_at) - since
        if since < uptime and late > ANOTHER_START_US and not repeated:
            self._started_at = None
            return None
        at = self._started_at + since
        if at > max(received_at, self._started_at + uptime) + AHEAD_US:
            return None
        if since >= uptime:
            self._uptime = since, received_at
        return _second(at)

    def _backwards(self, packet: Packet) -> int | None:
        """Return the second of a packet that came just before the first SYSTEM_TIME of its start."""
        since = _since_start(packet)
        if since is None or self._started_at is None or since > self._uptime[0]:
            return None
        return _second(self._started_at + since)

    def _before(self, packet: Packet) -> int | None:
        """Return the second of a packet that came before, byte for byte."""
        said = hash(packet.raw)
        return next((s for s in reversed(self._kept) if self._kept[s].get(packet.name) == said), None)


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
